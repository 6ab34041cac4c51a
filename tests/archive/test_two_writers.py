"""Writers that meet: nothing is lost or doubled, and who reads meanwhile sees whole states."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import astuple
from pathlib import Path

import polars as pl
import pytest
from archive.states import answers, check_equal, check_once, in_order, is_made, rows
from archive.writers import Deed, Ended, Writer, opened
from faults.table import FULL, Row

from optimove_analysis.client import OptimoveClient
from optimove_analysis.sandbox import Sandbox, sandbox

YEAR = ("2025-01-01", "2025-12-31")
SPANS = [("2025-01-01", "2025-07-31"), ("2025-05-01", "2025-12-31")]
LOCKS = pytest.mark.parametrize("locked", [False, True] if FULL else [False])

MEET = Row(
    "archive: two updaters",
    "two processes, then four, update one archive at once; others compact and read all the time",
    "no error; each state that is read is whole; in the end an archive as undisturbed",
)


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with sandbox(quota=1_000_000) as started:
        yield started


@pytest.fixture(scope="module")
def everything(
    box: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Sequence[str]], pl.DataFrame]:
    """Return what the API says of customers and the year."""
    folder = tmp_path_factory.mktemp("everything")

    def fetch(ids: Sequence[str]) -> pl.DataFrame:
        with OptimoveClient(box.url, box.api_key, cache_dir=folder) as client:
            return client.interactions(ids, *YEAR, progress=False)

    return fetch


@pytest.fixture
def deed(box: Sandbox, tmp_path: Path) -> Deed:
    ids = box.world.customer_ids(24)
    return Deed(tmp_path / "archive", box.url, box.api_key, tmp_path / "cache", ids, YEAR, batch=6)


@pytest.fixture(autouse=True)
def _told(record_property: Callable[[str, object], None]) -> None:
    record_property("fault", astuple(MEET))


def meet(
    deeds: Sequence[Deed],
    all_rows: pl.DataFrame,
    *,
    others: Sequence[Deed] = (),
    kill_at: int | None = None,
) -> list[Ended]:
    """Do all at once, and read meanwhile; kill the first when so many states were read."""
    archive = opened(deeds[0].archive)
    reads = 0
    with ExitStack() as stack:
        writers = [stack.enter_context(Writer(deed)) for deed in deeds]
        tidying = [stack.enter_context(Writer(other)) for other in others]
        while any(writer.is_at_work for writer in writers):
            if is_made(archive.path):
                check_once(rows(archive), all_rows)
                covered = archive.coverage().collect()
                assert not covered.select("customer_id", "start").is_duplicated().any()
                reads += 1
            if reads == kill_at:
                writers[0].kill()
            writers[0].wait(0.02)
        ended = [writer.end() for writer in writers]
        assert all(one.is_at_work for one in tidying), [one.end() for one in tidying]
    assert reads
    for one in ended:
        assert one.error is None, one.error
    return ended


def check_complete(deed: Deed, all_rows: pl.DataFrame) -> None:
    """Fail unless all of the year is there, once, and known to be."""
    archive = opened(deed.archive)
    assert rows(archive).equals(in_order(all_rows))
    covered = answers(archive)
    days = covered.group_by("customer_id").agg(
        ((pl.col("end") - pl.col("start")).dt.total_days() + 1).sum().alias("days"),
        pl.col("rows").sum(),
    )
    assert days["days"].to_list() == [365] * all_rows["customer_id"].n_unique()
    assert days["rows"].sum() == all_rows.height


@LOCKS
@pytest.mark.parametrize("shared", [True, False], ids=["one cache", "two caches"])
def test_two_updates_of_the_same_are_as_one(
    *,
    shared: bool,
    locked: bool,
    deed: Deed,
    tmp_path: Path,
    everything: Callable[[Sequence[str]], pl.DataFrame],
) -> None:
    all_rows = everything(deed.ids)
    other = deed.but(cache=deed.cache if shared else tmp_path / "other cache")
    meet([deed.but(locked=locked), other.but(locked=locked)], all_rows)
    check_complete(deed, all_rows)
    undisturbed = deed.but(archive=tmp_path / "undisturbed")
    undisturbed.do()
    check_equal(opened(deed.archive), opened(undisturbed.archive))


@LOCKS
def test_updates_of_overlapping_customers_and_days_leave_all_of_both(
    *, locked: bool, deed: Deed, everything: Callable[[Sequence[str]], pl.DataFrame]
) -> None:
    all_rows = everything(deed.ids)
    first, second = deed.ids[:16], deed.ids[8:]
    deeds = [
        deed.but(ids=first, days=SPANS[0], locked=locked),
        deed.but(ids=second, days=SPANS[1], locked=locked, cache=deed.cache.with_name("other")),
    ]
    meet(deeds, all_rows)
    both = {*first} & {*second}
    there = rows(opened(deed.archive)).filter(pl.col("customer_id").is_in(both))
    assert there.equals(in_order(all_rows.filter(pl.col("customer_id").is_in(both))))
    for one in deeds:  # they have come already: nothing is fetched
        assert repr(one.do()).startswith("Update: 0 answers")
    deed.do()
    check_complete(deed, all_rows)


@LOCKS
def test_four_updaters_of_whom_one_is_killed_and_one_who_compacts_leave_it_whole(
    *, locked: bool, deed: Deed, everything: Callable[[Sequence[str]], pl.DataFrame]
) -> None:
    all_rows = everything(deed.ids)
    deeds = [
        deed.but(
            ids=deed.ids[number * 4 : number * 4 + 12],
            days=SPANS[number % 2],
            locked=locked,
            cache=deed.cache.with_name(f"cache-{number % 3}"),
        )
        for number in range(4)
    ]
    tidying = [deed.but(what="compact for ever", locked=locked)]
    meet(deeds, all_rows, others=tidying, kill_at=4)
    for one in deeds:
        one.do()
    deed.do()
    check_complete(deed, all_rows)
