"""Who is forgotten is in no byte of the archive's folder, whatever was done to it before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from archive.states import answers, rows
from archive.writers import Deed, Writer, opened

from optimove_analysis.errors import InputError
from optimove_analysis.sandbox import Sandbox, sandbox

YEAR = ("2025-01-01", "2025-12-31")


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with sandbox(quota=1_000_000) as started:
        yield started


@pytest.fixture
def deed(box: Sandbox, tmp_path: Path) -> Deed:
    """Return an update of which some bytes of each customer's id are nobody else's."""
    ids = box.world.customer_ids(9)[1:]
    return Deed(tmp_path / "archive", box.url, box.api_key, tmp_path / "cache", ids, YEAR, batch=2)


def mentions(folder: Path, customer: str) -> list[Path]:
    """Return the files in which a customer occurs: in their bytes, or packed, in any column."""
    said = customer.encode()
    return [
        path
        for path in filter(Path.is_file, folder.rglob("*"))
        if said in path.read_bytes() or (path.suffix == ".parquet" and customer in _text(path))
    ]


def _text(path: Path) -> str:
    try:
        frame = pl.read_parquet(path, hive_partitioning=False)
    except pl.exceptions.PolarsError:
        return ""  # what was cut while it was written has no footer, and was searched as it is
    return "".join(str(row) for row in frame.iter_rows())


def test_a_forgotten_customer_is_in_no_file_nor_in_the_log_and_its_sums(deed: Deed) -> None:
    deed = deed.but(sums_up=3)
    for refresh in (False, True, True):
        assert Writer(deed.but(options={"refresh": refresh})).end().error is None
    archive, gone = opened(deed.archive), deed.ids[3]
    log = Path(deed.archive, "interactions", "_delta_log")
    assert len(list(log.glob("*.json"))) > 10
    assert len(list(log.glob("*.checkpoint.parquet"))) > 3
    # Writers that were killed have left files: whole ones, and one that is cut.
    again = deed.but(ids=[gone], options={"refresh": True})
    points = Writer(again).end().points
    for point in ("within a file", "after an entry"):
        last = len(points) - 1 - points[::-1].index(point)
        assert Writer(again.but(dies_at=last)).end().killed
    others = rows(archive).filter(pl.col("customer_id") != gone)
    known = answers(archive).filter(pl.col("customer_id") != gone)
    assert mentions(Path(deed.archive), gone)

    before = archive.version
    assert archive.forget(gone) > 0

    assert mentions(Path(deed.archive), gone) == []
    assert rows(archive).equals(others)
    assert answers(archive).equals(known)
    assert archive.forget(gone) == 0
    for path in log.glob("*.json"):  # nor does the log say between what customer ids lie
        for line in path.read_text().splitlines():
            stats = json.loads(line).get("add", {}).get("stats")
            assert stats is None or set(json.loads(stats)) == {"numRecords"}
    for version in range(1, before + 1):
        with pytest.raises(InputError, match=r"cannot be read any more|no state"):
            archive.as_of(version)


def test_a_forgotten_customer_without_interactions_is_gone_from_what_is_covered(
    deed: Deed,
) -> None:
    empty = deed.but(ids=["not-a-customer-77", *deed.ids[:2]])
    empty.do()
    archive = opened(deed.archive)
    assert answers(archive).filter(pl.col("customer_id") == "not-a-customer-77").height == 1
    archive.forget("not-a-customer-77")
    assert mentions(Path(deed.archive), "not-a-customer-77") == []
    assert answers(archive)["customer_id"].to_list() == sorted(deed.ids[:2])


def test_an_announcement_of_a_writer_that_was_killed_is_forgotten_too(deed: Deed) -> None:
    gone = deed.ids[0]
    deed.but(ids=deed.ids[1:]).do()
    one = deed.but(ids=[gone])
    ended = Writer(one.but(archive=deed.archive.parent / "other")).end()  # type: ignore[union-attr]
    at = ended.points.index("after an entry")
    skipped = sum("a table" in point for point in ended.points)  # they are there already
    assert Writer(one.but(dies_at=at - skipped)).end().killed
    assert mentions(Path(deed.archive, "coverage"), gone)
    archive = opened(deed.archive)
    archive.forget(gone)
    assert mentions(Path(deed.archive), gone) == []
    assert sorted(answers(archive)["customer_id"]) == sorted(deed.ids[1:])
