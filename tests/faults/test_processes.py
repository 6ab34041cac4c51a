"""Processes that are killed, and processes that meet."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import polars as pl
import pytest
from faults.children import Child
from faults.conftest import Artefacts, Begin, MakeClient, Promptly
from faults.table import FULL, FUNCTION, LONG, PATIENCE, YEAR, Row

from optimove_analysis.sandbox import sandbox

KILLS = 20 if FULL else 4
THREADS = 4
DELAY = 0.05
"""Seconds that each request of a process to be killed takes, at least."""

KILLED = Row(
    "SIGKILL",
    "the fetching process is killed at a random instant, over and over",
    "the same frame as undisturbed; nothing sent again but what was under way",
)
TOGETHER = Row(
    "two processes at once",
    "two processes fetch the same customers with one key and one cache",
    "zero 429; the same frame twice; each customer is asked for once",
)
APART = Row(
    "two processes, two caches",
    "two processes fetch other customers with one key, each with a cache of its own",
    "zero 429; the same frames",
)

HELD = Row(
    "SIGKILL while places are held",
    "a process is killed while its requests hold places of the quota",
    "the next process waits for a window at most, and no 429 comes",
)


def test_a_fetch_that_is_killed_goes_on_where_it_was(
    *,
    artefacts: Artefacts,
    make_client: MakeClient,
    promptly: Promptly,
    undisturbed: Callable[[list[str]], pl.DataFrame],
    begin: Begin,
    record_property: Callable[[str, object], None],
) -> None:
    begin(KILLED)
    chance = random.Random(20)  # noqa: S311 - instants are no secret
    with sandbox(quota=1_000_000, delays=lambda: DELAY) as box:
        pool = box.world.customer_ids(60 * KILLS)
        ids = pool[: 15 * KILLS]
        killed = 0
        while killed < KILLS:
            seen = box.count()
            child = Child(box, artefacts, ids, options={"threads": THREADS}).start()
            if killed % 4 == 3:
                time.sleep(chance.uniform(0, 1.5))  # before the first request, or soon after
            else:
                end = time.monotonic() + PATIENCE
                while box.count() == seen and child.process.poll() is None:
                    assert time.monotonic() < end, "it does not begin"
                    time.sleep(0.002)
                time.sleep(chance.uniform(0, 0.3))
            ended = child.kill()
            if ended.frame is not None and len(ids) < len(pool):
                # On a busy machine it had ended before it was killed: once more, with more to do.
                ids = pool[: len(ids) + 15]
                continue
            assert ended.status in {-9, 1}, ended.said  # 1 is Windows' word for it
            artefacts.search()  # before the next one tidies up
            killed += 1
        ended = Child(box, artefacts, ids, options={"threads": THREADS}).start().end()
        assert ended.frame is not None, ended.said
        assert ended.frame.equals(undisturbed(ids))
        assert not ended.warnings
        asked = box.count(path=FUNCTION)
        assert asked <= len(ids) + KILLS * THREADS
        again = promptly(lambda: make_client(box.url).interactions(ids, *YEAR))
        assert again.equals(undisturbed(ids))
        assert box.count(path=FUNCTION) == asked
    record_property("times", KILLS)


def test_two_processes_with_one_cache_ask_for_each_customer_once(
    artefacts: Artefacts, undisturbed: Callable[[list[str]], pl.DataFrame], begin: Begin
) -> None:
    begin(TOGETHER)
    # The limit is the server's: it answers 429 to a request too many.
    with sandbox(quota=10, per=1.0, delays=lambda: 0.02) as box:
        ids = box.world.customer_ids(25)
        options = {"quota": [10, 1.0], "threads": THREADS}
        children = [Child(box, artefacts, ids, options=options).start() for _ in range(2)]
        for ended in [child.end() for child in children]:
            assert ended.frame is not None, ended.said
            assert ended.frame.equals(undisturbed(ids))
            assert not ended.warnings
        assert box.count(429) == 0
        assert box.count(path=FUNCTION) == len(ids)


@pytest.mark.skipif(not FULL, reason=LONG)
def test_two_processes_with_one_key_keep_to_one_quota(
    artefacts: Artefacts, undisturbed: Callable[[list[str]], pl.DataFrame], begin: Begin
) -> None:
    begin(APART)
    with sandbox(quota=10, per=1.0, delays=lambda: 0.02) as box:
        ids = box.world.customer_ids(30)
        halves = [ids[:15], ids[15:]]
        options = {"quota": [10, 1.0], "threads": THREADS}
        children = [
            Child(box, artefacts, half, cache=artefacts.folder / name, options=options).start()
            for half, name in zip(halves, ("one", "two"), strict=True)
        ]
        for half, ended in zip(halves, [child.end() for child in children], strict=True):
            assert ended.frame is not None, ended.said
            assert ended.frame.equals(undisturbed(half))
        assert box.count(429) == 0


@pytest.mark.skipif(not FULL, reason=LONG)
def test_a_process_that_was_killed_holds_no_place_for_ever(
    *,
    artefacts: Artefacts,
    make_client: MakeClient,
    promptly: Promptly,
    undisturbed: Callable[[list[str]], pl.DataFrame],
    begin: Begin,
) -> None:
    begin(HELD)
    held = 4
    with sandbox(quota=held, per=2.0, delays=lambda: 0.5) as box:
        ids = box.world.customer_ids(held)
        options = {"quota": [held, 2.0], "threads": held}
        child = Child(box, artefacts, ids, options=options).start()
        end = time.monotonic() + PATIENCE
        while box.count(path=FUNCTION) == 0 and child.process.poll() is None:
            assert time.monotonic() < end, "it does not begin"
            time.sleep(0.01)
        child.kill()
        client = make_client(box.url, quota=(held, 2.0), threads=held)
        frame = promptly(lambda: client.interactions(ids, *YEAR))
        assert frame.equals(undisturbed(ids))
        assert box.count(429) == 0
