"""The law and the fairness of the quota over processes, in simulated time, on real files."""

from __future__ import annotations

import os
import sqlite3
import stat
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from client.simulation import Process, World
from hypothesis import given, settings
from hypothesis import strategies as st

from optimove_analysis.client.ledger import Ledger, Ticket, ledger_of
from optimove_analysis.client.ledger_file import QuotaWarning
from optimove_analysis.client.presence import Presence

TEN = ((50, 10.0),)

delays = st.floats(0.0, 3.0)
trips = st.lists(st.tuples(delays, delays), max_size=40)
limits = st.lists(
    st.tuples(st.integers(1, 12), st.sampled_from([1.0, 5.0, 10.0, 40.0])), min_size=1, max_size=3
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ledger.sqlite"


@pytest.fixture
def world() -> World:
    return World()


@settings(deadline=None, max_examples=60)
@given(limits=limits, work=st.lists(st.tuples(trips, st.integers(1, 8)), min_size=1, max_size=3))
def test_no_window_of_the_server_holds_more_than_any_limit_over_all_processes(
    limits: list[tuple[int, float]], work: list[tuple[list[tuple[float, float]], int]]
) -> None:
    world = World()
    with tempfile.TemporaryDirectory() as folder:
        processes = [Process(world, Path(folder) / "ledger", limits) for _ in work]
        for process, (taken, threads) in zip(processes, work, strict=True):
            process.send(taken, threads)
        world.run()
        for process in processes:
            process.ledger.close()
    assert len(world.arrivals) == sum(len(taken) for taken, _ in work)
    world.check(limits)


@settings(deadline=None, max_examples=60)
@given(
    limits=limits,
    work=st.lists(st.tuples(trips, st.integers(1, 8)), min_size=2, max_size=3),
    kills=st.lists(st.tuples(st.floats(0.0, 60.0), st.integers(0, 9), st.floats(0.0, 1.9))),
)
def test_the_law_survives_processes_that_are_killed_and_others_that_come(
    limits: list[tuple[int, float]],
    work: list[tuple[list[tuple[float, float]], int]],
    kills: list[tuple[float, int, float]],
) -> None:
    world = World()
    with tempfile.TemporaryDirectory() as folder:
        processes: list[Process] = []

        def start(taken: list[tuple[float, float]], threads: int) -> None:
            process = Process(world, Path(folder) / "ledger", limits)
            processes.append(process)
            process.send(taken, threads, start=world.now)

        def kill(number: int, within: float) -> None:
            victim = processes[number % len(processes)]
            victim.kill(within)
            start(victim.left, threads=4)  # its user starts it again, at once

        for taken, threads in work:
            start(taken, threads)
        for when, number, within in kills:
            world.at(when, lambda number=number, within=within: kill(number, within))  # type: ignore[misc]
        world.run()
        for process in processes:
            process.ledger.close()
    world.check(limits)


@settings(deadline=None, max_examples=30)
@given(ours=st.integers(1, 12), theirs=st.integers(1, 12))
def test_processes_with_unlike_limits_keep_to_the_larger_and_neither_starves(
    ours: int, theirs: int
) -> None:
    world = World()
    with tempfile.TemporaryDirectory() as folder:
        one = Process(world, Path(folder) / "ledger", [(ours, 10.0)], "one")
        two = Process(world, Path(folder) / "ledger", [(theirs, 10.0)], "two")
        for process in (one, two):
            process.send([(0.01, 0.01)] * 1_000, threads=4)
        world.run(until=200.0)
        one.ledger.close()
        two.ledger.close()
    world.check([(max(ours, theirs), 10.0)])
    counts = Counter(name for _, name in world.arrivals)
    if min(ours, theirs) > 1:  # one place of two processes is had in turns, late
        assert min(counts["one"], counts["two"]) >= 15


@pytest.mark.parametrize(("processes", "threads"), [(2, 16), (2, 4), (3, 16), (5, 8)])
def test_processes_that_want_much_get_the_same_and_lose_nothing_together(
    world: World, path: Path, processes: int, threads: int
) -> None:
    for number in range(processes):
        Process(world, path, TEN, str(number)).send([(0.02, 0.02)] * 600, threads)
    world.run(until=100.0)
    world.check(TEN)
    shares = Counter(name for _, name in world.arrivals)
    assert shares.total() >= 500
    assert max(shares.values()) - min(shares.values()) <= 0.06 * shares.total()


def test_one_who_comes_late_gets_its_half_within_two_windows(world: World, path: Path) -> None:
    Process(world, path, TEN, "early").send([(0.02, 0.02)] * 2_000, 16)
    Process(world, path, TEN, "late").send([(0.02, 0.02)] * 2_000, 16, start=33.0)
    world.run(until=100.0)
    world.check(TEN)
    window = Counter(name for at, name in world.arrivals if 53.0 <= at < 93.0)
    assert window.total() >= 195
    assert abs(window["early"] - window["late"]) <= 0.1 * window.total()


def test_a_single_request_does_not_wait_behind_twenty_thousand(world: World, path: Path) -> None:
    crowd = Process(world, path, TEN, "crowd")
    crowd.send([(0.02, 0.02)] * 20_000, 16)
    for start in range(21, 91, 7):
        Process(world, path, TEN, f"one {start}").send([(0.02, 0.02)], 1, start=float(start))
    world.run(until=100.0)
    came = {name: at for at, name in world.arrivals if name != "crowd"}
    # The next place that comes free is its own: at worst, a window after it asked.
    for start in range(21, 91, 7):
        assert came[f"one {start}"] - start <= 10.2


def test_who_wants_less_gets_all_it_wants_and_the_rest_is_not_lost(
    world: World, path: Path
) -> None:
    for name in "ab":
        Process(world, path, TEN, name).send([(0.02, 0.02)] * 2_000, 8)
    small = Process(world, path, TEN, "small")
    for start in range(0, 100, 2):  # 10 in a window; a fair share would be 16
        small.send([(0.02, 0.02)] * 2, 2, start=float(start))
    world.run(until=100.0)
    world.check(TEN)
    shares = Counter(name for at, name in world.arrivals if at >= 20.0)
    assert shares["small"] >= 76
    assert shares.total() >= 395
    assert abs(shares["a"] - shares["b"]) <= 0.1 * shares.total()


def test_one_that_was_killed_while_it_waited_costs_the_other_a_moment(
    world: World, path: Path
) -> None:
    Process(world, path, TEN, "lives").send([(0.02, 0.02)] * 2_000, 16)
    dies = Process(world, path, TEN, "dies")
    dies.send([(0.02, 0.02)] * 2_000, 16)
    world.at(15.0, dies.kill)
    world.run(until=100.0)
    assert sum(at >= 30.0 for at, name in world.arrivals if name == "lives") >= 340


def test_what_a_dead_process_had_in_flight_counts_from_when_it_is_noticed(
    world: World, path: Path
) -> None:
    dies = Process(world, path, [(2, 10.0)])
    dies.send([(60.0, 0.0)] * 2, 2)  # on their way for a minute
    world.at(5.0, dies.kill)
    heir = Process(world, path, [(2, 10.0)], "heir")
    heir.send([(0.0, 0.0)] * 2, 2, start=3.0)
    world.run(until=100.0)
    first = world.times()[0]
    assert 5.0 + 2.0 + 10.0 <= first <= 5.0 + 1.0 + 2.0 + 10.1


def test_a_restart_after_a_burst_waits_until_the_burst_has_left_the_window(
    world: World, path: Path
) -> None:
    before = Process(world, path, TEN)
    before.send([(0.0, 0.0)] * 50, 16)
    world.run()
    before.kill()
    Process(world, path, TEN).send([(0.0, 0.0)], 1, start=world.now)
    world.run()
    assert 10.0 <= world.times()[-1] <= 10.1


def test_an_hourly_limit_is_remembered_over_a_restart_and_beside_a_short_window(
    world: World, path: Path
) -> None:
    hourly = ((5, 10.0), (12, 3600.0))
    before = Process(world, path, hourly)
    before.send([(0.0, 0.0)] * 12, 4)
    world.run(until=40.0)
    assert len(world.arrivals) == 12
    before.kill()
    short = Process(world, path, [(5, 10.0)])  # who knows of no such window keeps it for others
    short.send([(0.0, 0.0)] * 5, 5, start=60.0)
    world.run(until=70.0)
    late = Process(world, path, hourly)
    late.send([(0.0, 0.0)], 1, start=world.now)
    world.run()
    assert world.times()[-1] >= 3600.0


def test_a_hold_holds_all_processes_and_a_later_shorter_one_does_not_end_it(
    world: World, path: Path
) -> None:
    one, two = Process(world, path, TEN), Process(world, path, TEN)
    one.ledger.hold(7.0)
    two.ledger.hold(2.0)
    assert two.ledger.wait_for(1, TEN) == pytest.approx(7.0)
    two.send([(0.0, 0.0)], 1)
    world.run()
    assert world.times() == [pytest.approx(7.0)]


def test_the_eta_counts_what_other_processes_hold_and_every_limit(world: World, path: Path) -> None:
    one, two = Process(world, path, TEN), Process(world, path, TEN)
    one.send([(0.0, 0.0)] * 49 + [(5.0, 5.0)], 16)
    world.run(until=4.0)
    assert two.ledger.wait_for(1, TEN) == pytest.approx(6.0)
    assert two.ledger.wait_for(50, TEN) == pytest.approx(10.0)  # the one in flight, from now
    assert two.ledger.wait_for(51, TEN) == pytest.approx(16.0)
    assert two.ledger.wait_for(3, ((50, 10.0), (51, 3600.0))) == pytest.approx(3596.0)


def test_after_a_boot_the_clock_begins_anew_and_nothing_is_let_through_too_early(
    world: World, path: Path
) -> None:
    world.now = 500_000.0
    before = Process(world, path, [(2, 3600.0)])
    for _ in range(2):
        ticket = Ticket()
        assert before.ledger.take(ticket, before.limits) == 0.0
        before.ledger.release(ticket)
    before.ledger.hold(100.0)
    before.kill()
    world.now = 30.0  # booted half a minute ago
    after = Process(world, path, [(2, 3600.0)])
    assert after.ledger.wait_for(1, ((2, 10.0),)) == pytest.approx(100.0)  # held as long as before
    # At the boot at the latest, they were answered.
    assert after.ledger.take(Ticket(), after.limits) == pytest.approx(3600.0 - 30.0 + 3.6)


def test_a_wall_clock_that_steps_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, path: Path
) -> None:
    ledger = Ledger(path)
    ticket = Ticket()
    assert ledger.take(ticket, ((1, 60.0),)) == 0.0
    ledger.release(ticket)
    for step in (-1e6, 1e6):
        real = time.time()
        monkeypatch.setattr(time, "time", lambda step=step, real=real: real + step)
        assert 50.0 < ledger.wait_for(1, ((1, 60.0),)) <= 60.0
        monkeypatch.undo()
    ledger.close()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_file_and_folder_are_this_users_alone(world: World, path: Path) -> None:
    process = Process(world, path, TEN)
    process.send([(0.0, 0.0)], 1)
    world.run()
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    for file in path.parent.glob("ledger*"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert path.with_name(f"{path.name}-wal").exists()
    process.ledger.close()


def full(world: World, path: Path) -> Process:
    process = Process(world, path, [(2, 10.0)])
    process.send([(0.0, 0.0)] * 2, 2, start=world.now)
    world.run()
    return process


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE mine (a)")
        other.commit()


@pytest.mark.parametrize("what", ["text", "zeros", "foreign", "torn"])
def test_a_file_that_cannot_be_read_is_replaced_and_a_window_is_waited_for(
    world: World, path: Path, what: str
) -> None:
    process = full(world, path)
    process.ledger.close()
    if what == "foreign":
        path.unlink()
        foreign(path)
    else:
        whole = path.read_bytes()
        path.write_bytes(
            {
                "text": b"My notes on customers. " * 100,
                "zeros": bytes(len(whole)),
                "torn": whole[:4096] + bytes(reversed(whole[4096:])),
            }[what]
        )
    after = Process(world, path, [(2, 10.0)])
    with pytest.warns(QuotaWarning, match="begun anew.*nothing is sent for 12 s"):
        assert after.ledger.wait_for(1, after.limits) == pytest.approx(12.0, abs=0.1)
    other = Process(world, path, [(2, 10.0)])
    assert other.ledger.wait_for(1, other.limits) == pytest.approx(12.0, abs=0.1)  # no word more
    assert path.with_name(f"{path.name}.broken").exists()
    for each in (after, other):
        each.ledger.close()


def test_a_file_that_is_torn_or_removed_while_it_is_used_is_found_so(
    world: World, path: Path
) -> None:
    one, two = full(world, path), Process(world, path, [(2, 10.0)])
    two.ledger.wait_for(1, TEN)
    ticket = Ticket()
    world.now = 20.0
    assert one.ledger.take(ticket, one.limits) == 0.0
    path.unlink()
    with pytest.warns(QuotaWarning, match="removed"):
        assert two.ledger.take(Ticket(), two.limits) >= 10.0
    world.now = 33.0
    # The other finds the new file too, and what it has under way gets into it.
    assert one.ledger.take(Ticket(), one.limits) == 0.0
    assert two.ledger.take(Ticket(), two.limits) > 0.0
    one.ledger.release(ticket)
    for each in (one, two):
        each.ledger.close()


def test_where_no_file_can_be_made_the_quota_holds_for_this_process_and_says_so_once(
    world: World, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    process = Process(world, tmp_path / "file" / "ledger", [(2, 10.0)])
    process.send([(0.0, 0.0)] * 6, 3)
    with pytest.warns(QuotaWarning, match="part of the quota") as said:
        world.run()
    assert len(said) == 1
    assert len(world.arrivals) == 6
    assert world.times()[1] == 0.0  # nobody wrote anything there: nothing to wait for
    world.check(process.limits)


def test_a_file_that_another_program_locks_for_good_is_done_without_but_its_past_is_known(
    world: World, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("optimove_analysis.client.ledger_tables.BUSY", 0.1)
    full(world, path).ledger.close()
    process = Process(world, path, [(2, 10.0)])
    assert process.ledger.wait_for(1, process.limits) == pytest.approx(10.0)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.warns(QuotaWarning, match="locked"):
            assert process.ledger.take(Ticket(), process.limits) == pytest.approx(10.01)
        other.execute("ROLLBACK")


def test_a_file_that_can_neither_be_read_nor_replaced_holds_back_a_window(
    world: World, path: Path
) -> None:
    path.mkdir(parents=True)  # not even root can open a folder as a file
    process = Process(world, path, [(2, 10.0)])
    with pytest.warns(QuotaWarning, match="nothing is sent for 12 s"):
        assert process.ledger.take(Ticket(), process.limits) >= 12.0


def test_a_thread_that_gives_up_leaves_nothing_behind(world: World, path: Path) -> None:
    busy, gives_up = full(world, path), Process(world, path, [(2, 10.0)])
    ticket = Ticket()
    assert gives_up.ledger.take(ticket, gives_up.limits) > 0.0
    assert rows(path, "waiting") == 1
    gives_up.ledger.release(ticket)
    assert rows(path, "waiting") == 0
    assert gives_up.ledger.in_flight == 0
    for each in (busy, gives_up):
        each.ledger.close()


def test_slots_are_kept_for_the_longest_window_and_then_forgotten(world: World, path: Path) -> None:
    process = Process(world, path, TEN)
    process.send([(0.0, 0.0)] * 500, 8)
    world.run()
    assert rows(path, "slots") <= 100
    process.ledger.close()


def test_ledgers_of_keys_that_nobody_uses_are_removed_after_a_week(
    world: World, path: Path
) -> None:
    paths = {name: path.with_name(f"{name}.sqlite") for name in ("old", "young", "old but open")}
    users = {name: full(world, paths[name]) for name in paths}
    users["old"].ledger.close()
    users["young"].ledger.close()
    for name in ("old", "old but open"):
        os.utime(paths[name], (0, time.time() - 8 * 24 * 3600))
    other = full(world, path)
    assert [name for name in paths if paths[name].exists()] == ["young", "old but open"]
    for process in (other, users["old but open"]):
        process.ledger.close()


def rows(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as ledger:
        (count,) = ledger.execute(f"SELECT COUNT(*) FROM {table}").fetchone()
        return int(count)


def test_a_write_that_was_interrupted_keeps_no_place_for_ever(world: World, path: Path) -> None:
    process = Process(world, path, [(2, 10.0)])
    ticket = Ticket()
    assert process.ledger.take(ticket, process.limits) == 0.0
    # As a Ctrl-C between memory and disk leaves it.
    process.ledger._flying.clear()  # noqa: SLF001
    process.send([(0.0, 0.0)] * 3, 1)
    world.run()
    assert 10.0 <= world.times()[-1] <= 10.1
    process.ledger.close()


def test_a_ledger_is_found_again_by_its_name(tmp_path: Path) -> None:
    one = ledger_of(tmp_path, "one key")
    assert ledger_of(tmp_path, "one key") is one
    assert ledger_of(tmp_path, "another") is not one
    assert ledger_of(tmp_path / "elsewhere", "one key") is not one
    assert not list(tmp_path.iterdir())  # nothing is written before something is sent


def test_a_ledger_that_nobody_uses_is_closed_and_its_past_is_found_again(tmp_path: Path) -> None:
    wall, ticket = ((1, 60.0),), Ticket()
    ledger = ledger_of(tmp_path, "key")
    assert ledger.take(ticket, wall) == 0.0
    ledger.release(ticket)
    del ledger
    again = ledger_of(tmp_path, "key")
    assert again.sent == 0
    assert again.wait_for(1, wall) > 50.0
    assert Presence(tmp_path / "processes").token in {
        file.stem for file in (tmp_path / "processes").iterdir()
    }
