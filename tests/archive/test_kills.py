"""Writers that are killed: what they leave is whole, and the same call ends as if undisturbed."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import astuple
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest
from archive.states import check_equal, check_whole, is_made, rows
from archive.writers import Deed, Writer, opened
from faults.table import FULL, Row

from optimove_analysis.client import OptimoveClient
from optimove_analysis.sandbox import Sandbox, sandbox

KILLS = 20 if FULL else 5
SEED = 11
BATCH = 3 if FULL else 6
"""Of six customers: one batch, or two."""
HALF = ("2025-01-01", "2025-06-30")
SECOND = ("2025-07-01", "2025-12-31")
YEAR = ("2025-01-01", "2025-12-31")
SPRING = ("2025-03-01", "2025-05-31")

KILLED = Row(
    "archive: SIGKILL",
    "an update is killed at a random instant, over and over, in batches of 10 customers",
    "after each a whole state; in the end an archive as undisturbed",
)
SEAM = Row(
    "archive: SIGKILL between two steps",
    "update, compact and forget are killed within and between their steps",
    "after each a whole state; in the end an archive as undisturbed",
)


class Worlds(NamedTuple):
    """The API before its data was corrected, and since."""

    before: Sandbox
    after: Sandbox


@pytest.fixture(scope="module")
def worlds() -> Iterator[Worlds]:
    with sandbox(quota=1_000_000) as before, sandbox(quota=1_000_000, seed=8) as after:
        yield Worlds(before, after)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("answers")


@pytest.fixture
def deed(worlds: Worlds, cache: Path, tmp_path: Path) -> Deed:
    box = worlds.before
    ids = box.world.customer_ids(6)
    return Deed(
        tmp_path / "archive", box.url, box.api_key, cache, ids, YEAR, buckets=2, batch=BATCH
    )


def corrected(deed: Deed, worlds: Worlds) -> Deed:
    """Return what asks again for a part, of the API that has corrected its data since."""
    box = worlds.after
    return deed.but(url=box.url, key=box.api_key, days=SPRING, options={"refresh": True})


def answered(deed: Deed, days: tuple[str, str]) -> pl.DataFrame:
    """Return what the API says, without an archive."""
    with OptimoveClient(deed.url, deed.key, cache_dir=deed.cache) as client:
        return client.interactions(deed.ids, *days, progress=False)


def done(row: Row, record_property: Callable[[str, object], None], times: int) -> None:
    record_property("fault", astuple(row))
    record_property("times", times)


def test_updates_that_are_killed_at_any_instant_end_as_if_undisturbed(
    worlds: Worlds,
    deed: Deed,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    done(KILLED, record_property, KILLS)
    ids = worlds.before.world.customer_ids(120)
    deed = deed.but(ids=ids, buckets=4, batch=10)
    again = corrected(deed, worlds)
    sittings = [deed.but(days=HALF), deed, again]
    for sitting in sittings:
        sitting.but(archive=tmp_path / "undisturbed").do()
    undisturbed = opened(tmp_path / "undisturbed")
    halves = [answered(deed, HALF), answered(deed, SECOND)]
    mended = answered(again, HALF)  # the answer that the correction is part of, as a whole
    states = [halves[0], pl.concat(halves), pl.concat([mended, halves[1]])]

    chance = random.Random(SEED)  # noqa: S311 - instants are no secret
    left = list(sittings)
    killed = 0
    while killed < KILLS:
        delay = chance.uniform(0.05, 0.7)
        # A sitting that ended before it was to be killed is followed by the next; the last is done
        # again from its beginning.
        writer = Writer(left[0])
        if writer.wait(delay):
            assert writer.end().error is None
            left = left[1:] or left
            continue
        killed += writer.kill().killed
        if is_made(tmp_path / "archive"):
            check_whole(rows(opened(tmp_path / "archive")), *states)
    for sitting in left:
        ended = Writer(sitting).end()
        assert ended.error is None, ended.error
    check_equal(opened(tmp_path / "archive"), undisturbed)
    said = rows(undisturbed).drop("data_through")
    assert said.equals(states[-1].drop("data_through").sort(pl.all()))


def points_of(deed: Deed) -> list[str]:
    """Do it undisturbed; return the points at which it can die."""
    ended = Writer(deed).end()
    assert ended.error is None, ended.error
    return ended.points


def chosen(points: list[str], among: range | None = None) -> list[int]:
    """Return at which to die: all in the full form, else after each entry and within a file."""
    at = list(among or range(len(points)))
    if FULL:
        return at
    torn = [n for n in at if points[n] == "within a file"][-1:]
    return torn + [n for n in at if points[n] in {"after an entry", "before a vacuum"}]


def test_a_first_update_that_is_killed_at_a_seam_ends_as_if_undisturbed(
    deed: Deed, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    points = points_of(deed)
    assert points.count("after an entry") == 3 * 6 // BATCH
    at = chosen(points)
    done(SEAM, record_property, len(at))
    for n in at:
        archive = tmp_path / f"killed-{n}"
        assert Writer(deed.but(archive=archive, dies_at=n)).end().killed, points[n]
        deed.but(archive=archive).do()
        check_equal(opened(archive), opened(deed.archive))


@pytest.mark.parametrize("locked", [False, True] if FULL else [False])
def test_an_update_of_corrected_data_that_is_killed_at_a_seam_ends_as_if_undisturbed(
    *,
    worlds: Worlds,
    deed: Deed,
    locked: bool,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    deed.do()
    again = corrected(deed, worlds).but(locked=locked)
    states = answered(deed, YEAR), answered(again, YEAR)
    points = points_of(again.but(archive=copied(deed, tmp_path / "undisturbed")))
    at = chosen(points)
    done(SEAM, record_property, len(at))
    for n in at:
        archive = copied(deed, tmp_path / f"killed-{n}")
        assert Writer(again.but(archive=archive, dies_at=n)).end().killed, points[n]
        check_whole(rows(opened(archive)), *states)
        again.but(archive=archive).do()
        check_equal(opened(archive), opened(tmp_path / "undisturbed"))


def test_a_mending_that_is_killed_is_done_again(
    worlds: Worlds, deed: Deed, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    deed.do()
    again = corrected(deed, worlds)
    points = points_of(again.but(archive=copied(deed, tmp_path / "undisturbed")))
    torn = points.index("after an entry")
    assert Writer(again.but(archive=deed.archive, dies_at=torn)).end().killed
    points = points_of(again.but(archive=copied(deed, tmp_path / "mended")))
    mending = range(points.index("before mending") + 1, points.index("after mending"))
    assert [points[n] for n in mending][-2:] == ["before an entry", "after an entry"]
    at = chosen(points, mending)
    done(SEAM, record_property, len(at))
    for n in at:
        archive = copied(deed, tmp_path / f"killed-{n}")
        assert Writer(again.but(archive=archive, dies_at=n)).end().killed, points[n]
        again.but(archive=archive).do()
        check_equal(opened(archive), opened(tmp_path / "undisturbed"))


@pytest.mark.parametrize("what", ["forget", "compact"] if FULL else ["forget"])
def test_what_tidies_up_is_killed_and_changes_nothing_else(
    *,
    worlds: Worlds,
    deed: Deed,
    what: str,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    deed.do()
    corrected(deed, worlds).do()
    gone = deed.ids[1] if what == "forget" else "nobody"
    tidying = deed.but(what=what, ids=[gone])
    others = rows(opened(deed.archive)).filter(pl.col("customer_id") != gone)
    points = points_of(tidying.but(archive=copied(deed, tmp_path / "undisturbed")))
    assert "before a vacuum" in points
    at = chosen(points)
    done(SEAM, record_property, len(at))
    for n in at:
        archive = copied(deed, tmp_path / f"killed-{n}")
        assert Writer(tidying.but(archive=archive, dies_at=n)).end().killed, points[n]
        left = rows(opened(archive))
        assert left.filter(pl.col("customer_id") != gone).equals(others)
        tidying.but(archive=archive).do()
        check_equal(opened(archive), opened(tmp_path / "undisturbed"))
        assert rows(opened(archive)).equals(others)


def copied(deed: Deed, to: Path) -> Path:
    shutil.copytree(deed.archive, to)
    return to
