"""What a server, or a proxy before it, can do to an answer."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest
from faults.conftest import Begin, MakeClient, Promptly
from faults.proxy import FaultProxy
from faults.table import FULL, LONG, YEAR
from faults.wire import WIRE, WireFault

from optimove_analysis.client.judge import TRIES
from optimove_analysis.errors import SchemaError

TWICE = 2


@pytest.mark.parametrize("fault", WIRE, ids=lambda fault: fault.name)
def test_a_fault_on_the_wire_costs_no_answer_and_changes_no_number(
    *,
    fault: WireFault,
    ids: list[str],
    proxy: FaultProxy,
    make_client: MakeClient,
    promptly: Promptly,
    undisturbed: Callable[[list[str]], pl.DataFrame],
    begin: Begin,
    record_property: Callable[[str, object], None],
) -> None:
    begin(fault.row)
    if fault.long and not fault.retried and not FULL:
        pytest.skip(LONG)

    def fetch(cache: str, threads: int, *, asking: list[str] = ids) -> pl.DataFrame:
        # Each call is made by a new client, as by a program that is started again.
        client = make_client(proxy.url, cache, threads=threads, timeout=fault.timeout)
        frame: pl.DataFrame = promptly(lambda: client.interactions(asking, *YEAR, progress=True))
        client.close()
        return frame

    if fault.retried:
        proxy.plan(fault.act, TWICE)
        assert fetch("passes", threads=4).equals(undisturbed(ids))
        assert proxy.faulty == TWICE
        assert _answered(proxy, fault) == {1}
        proxy.exchanges.clear()
    if FULL or not fault.long:
        half = len(ids) // 2
        fetch("stays", threads=1, asking=ids[:half])
        proxy.plan(fault.act)
        with pytest.raises(fault.error, match=f"(?s)customer {ids[half]}.*{fault.says}") as raised:
            fetch("stays", threads=1)
        assert type(raised.value) is fault.error
        if not isinstance(raised.value, SchemaError):  # which is found when all have answered
            assert f"{half} of {len(ids)} answers are kept" in str(raised.value)
        if fault.retried:
            assert proxy.faulty == TRIES
        else:  # one, or one of each customer where it is found when all have answered
            assert proxy.faulty <= half
        proxy.heal()
        assert fetch("stays", threads=1).equals(undisturbed(ids))
        assert _answered(proxy, fault) == {1}
    record_property("times", proxy.faulty + TWICE * fault.retried)


def _answered(proxy: FaultProxy, fault: WireFault) -> set[int]:
    """Return how often customers were answered: but for what came too late, on a busy machine."""
    times = set(proxy.answers().values())
    return times if fault.timeout > 1 else {min(times)}
