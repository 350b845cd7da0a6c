"""`sensord status` where there are many flows: those at rest are counted, and cost nothing."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sensord.cli import overview
from sensord.cli.status_view import lines as lines_of
from sensord.cli.status_view import remark
from sensord.core.run import State
from sensord.store import schema
from sensord.store.database import Database
from sensord.store.reads import flows, unrest
from tests.cli.program import Program
from tests.daemon.world import DAILY, HOURLY, World, on
from tests.store.rows import make_flows, make_runs

IDLE = '[schedule]\ncron = "0 2 * * *"\nfirst = "next"\n[run]\ncommand = ["true"]\n'


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two flows are shown, and a third is many."""
    monkeypatch.setattr(overview, "MOST", 2)


@pytest.fixture
def lively(world: World) -> World:
    """One flow for each reason not to be at rest, and three that are: of 02:00 `done` is, `idle` has never run, and
    `mended` failed at 10:00, but not at 11:00. It is 11:30.
    """
    for name in ("a/idle", "p/paused"):
        world.flow(name, IDLE)
    for name in ("a/done", "r/removed", "x/failed"):
        world.flow(name, DAILY)
    for name in ("a/mended", "q/queued", "u/running"):
        world.flow(name, HOURLY)
    world.flow("w/blocked", DAILY, on("x/failed"))
    world.flow("v/waiting", HOURLY, on("u/running"))
    world.start()
    world.tick()
    for name in ("a/done", "r/removed"):
        world.end(name, "2026-11-22T02:00")
    world.end("x/failed", "2026-11-22T02:00", 3)
    world.end("a/mended", "2026-11-22T10:00", 1)
    world.tick("2026-11-22T11:00")
    world.finish("a/mended", "2026-11-22T11:00")
    world.finish("u/running", "2026-11-22T10:00")
    world.finish("v/waiting", "2026-11-22T10:00")
    world.daemon.change("pause", {"flow": "p/paused"})
    world.remove("r/removed")
    world.daemon.reload()
    assert world.state("q/queued", "2026-11-22T11:00") is State.QUEUED
    return world


def shown(sensord: Program, *arguments: str) -> list[str]:
    """The names of the flows that are shown."""
    return [flow["flow"] for flow in sensord("status", *arguments, "--json").json["flows"]]


def looked(world: World) -> overview.Overview:
    return overview.read(world.db, overview.Wanted(), world.clock.now())


def test_as_many_as_fit_are_all_shown(lively: World, sensord: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "MOST", 10)

    assert len(shown(sensord)) == 10
    assert shown(sensord) == sorted(shown(sensord))
    assert sensord("status").err == ""


def test_of_more_those_that_want_a_person_come_first_and_those_at_rest_are_counted(
    lively: World, sensord: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "MOST", 8)

    assert shown(sensord) == [
        "x/failed",
        "w/blocked",
        "r/removed",
        "q/queued",  # its older run runs
        "u/running",
        "v/waiting",
        "p/paused",
    ]
    assert sensord("status", "--json").json["total"] == 10
    said = sensord("status")
    assert [line.split()[0] for line in said.lines[3:]] == shown(sensord)
    assert said.err == "and 3 more flows, at rest: `sensord status --all`, or a pattern\n"


def test_of_those_not_at_rest_only_some_are_shown_and_the_others_are_counted(
    lively: World, sensord: Program, few: None
) -> None:
    assert shown(sensord) == ["x/failed", "w/blocked"]
    assert sensord("status").err == ("and 8 more flows, 5 of them not at rest: `sensord status --all`, or a pattern\n")


def test_where_too_many_are_not_at_rest_to_count_them_it_says_that_there_are_some(
    lively: World, sensord: Program, few: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unrest, "MOST", 1)

    assert sensord("status").err == (
        "and 8 more flows, some of them not at rest: `sensord status --all`, or a pattern\n"
    )


def test_where_none_of_many_is_at_rest_it_says_so(world: World, sensord: Program, few: None) -> None:
    for name in "abc":
        world.flow(name, HOURLY)
    world.start()
    world.tick()

    assert shown(sensord) == ["a", "b"]
    assert sensord("status").err == "and 1 more flow, not at rest: `sensord status --all`, or a pattern\n"


def test_where_all_are_at_rest_it_says_so(world: World, sensord: Program, few: None) -> None:
    for name in "abc":
        world.flow(name, IDLE)
    world.start()

    said = sensord("status")

    assert said.lines[1:] == [""]
    assert said.err == "all 3 flows are at rest: nothing runs, waits or has failed; `sensord status --all` lists them\n"
    assert sensord("status", "--json").json["flows"] == []
    assert sensord("status", "--json").json["total"] == 3


@pytest.mark.parametrize(
    ("asked", "number"),
    [(["--all"], 10), (["*"], 10), (["a/*"], 3), (["--state", "success"], 3), (["--tag", "none"], 0)],
)
def test_what_is_asked_for_is_shown_whether_at_rest_or_not(
    lively: World, sensord: Program, few: None, asked: list[str], number: int
) -> None:
    assert len(shown(sensord, *asked)) == number
    assert "more flow" not in sensord("status", *asked).err


def test_a_flow_is_not_at_rest_while_an_older_run_of_it_waits(world: World, sensord: Program, few: None) -> None:
    # given an hour that waits for what failed, and a later one that was done
    world.flow("orders", HOURLY + "max_active = 2\n")
    world.flow("sales", HOURLY + "max_active = 2\n", on("orders"))
    world.flow("idle", IDLE)
    world.start()
    world.tick()
    world.end("orders", "2026-11-22T10:00", 1)
    world.tick("2026-11-22T11:00")
    world.finish("orders", "2026-11-22T11:00")
    world.finish("sales", "2026-11-22T11:00")

    # then it is shown; orders, whose newest run succeeded, is not
    assert shown(sensord) == ["sales"]


def test_a_run_that_is_sent_back_or_marked_does_not_fail_any_more(world: World, sensord: Program, few: None) -> None:
    for name in ("a", "b", "c"):
        world.flow(name, DAILY)
    world.start()
    world.tick()
    for name in ("a", "b"):
        world.end(name, "2026-11-22T02:00", 1)
    world.finish("c", "2026-11-22T02:00")
    assert shown(sensord) == ["a", "b"]

    date = "2026-11-22T02:00:00+00:00"
    world.daemon.change("mark", {"flow": "a", "logical_date": date, "state": "success"})
    assert shown(sensord) == ["b"]
    world.daemon.change("mark", {"flow": "c", "logical_date": date, "state": "failed"})
    assert shown(sensord) == ["b", "c"]


def test_a_retired_flow_is_none_but_one_that_comes_back_fails_as_before(
    lively: World, sensord: Program, few: None
) -> None:
    lively.remove("x/failed")
    lively.daemon.reload()
    lively.daemon.change("retire", {"flow": "x/failed"})
    assert "x/failed" not in shown(sensord)
    assert sensord("status", "--json").json["total"] == 9

    lively.flow("x/failed", DAILY)
    lively.daemon.reload()
    assert shown(sensord) == ["w/blocked", "x/failed"]  # with nothing upstream, the first one's run failed, too


def test_on_a_terminal_the_count_stands_below_the_table_and_counts_what_has_no_room(lively: World, few: None) -> None:
    def text(height: int | None) -> list[str]:
        found = lines_of(looked(lively), lively.clock.now(), width=80, height=height)
        return ["".join(span.text for span in line) for line in found]

    whole = text(None)
    assert whole[-3:-1] == ["and 8 more flows, 5 of them not at rest: `sensord status --all`, or a pattern", ""]
    assert whole[-4].startswith("w/blocked")
    assert text(len(whole)) == whole
    short = text(len(whole) - 1)
    assert len(short) == len(whole) - 1
    assert short[-3:-1] == ["and 9 more flows, 6 of them not at rest: `sensord status --all`, or a pattern", ""]


def test_nothing_is_said_where_nothing_is_left_out(world: World, few: None) -> None:
    world.flow("a", HOURLY)
    world.start()
    world.tick()

    assert remark(looked(world)) == ""


def test_a_hundred_are_shown_and_of_a_hundred_and_one_those_not_at_rest(world: World, sensord: Program) -> None:
    world.flow("busy", HOURLY)
    for number in range(99):
        world.flow(f"idle_{number}", IDLE)
    world.start()
    world.tick()
    assert len(shown(sensord)) == 100

    world.flow("idle_99", IDLE)
    world.daemon.reload()
    assert shown(sensord) == ["busy"]
    assert sensord("status").err == "and 100 more flows, at rest: `sensord status --all`, or a pattern\n"


def steps_of(db: Database, act: Callable[[], object]) -> int:
    """How many steps SQLite's machine takes for it, in tens."""
    taken = 0

    def count() -> int:
        nonlocal taken
        taken += 1
        return 0

    connection: sqlite3.Connection = db.connection  # type: ignore[attr-defined] # SQLite's has one
    connection.set_progress_handler(count, 10)
    act()
    connection.set_progress_handler(None, 0)
    return taken


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Database]:
    """On SQLite, which counts for itself; the plans of both databases are held elsewhere."""
    with Database.open(f"sqlite://{tmp_path / 'sensord.db'}", durability="normal") as db:
        schema.upgrade(db)
        yield db


def test_flows_at_rest_and_their_past_cost_nothing(plain: Database) -> None:
    db = plain

    def look() -> list[object]:
        found = unrest.find(db)
        return [flows.number(db), flows.glances_of(db, found.causes)]

    taken = []
    for number in (10, 200, 2000):
        with db.transaction() as tx:
            ids = make_flows(tx, *(f"{number} {place}" for place in range(number)))
            for flow in ids.values():
                make_runs(tx, flow, 1, 2, 3)
            tx.run("UPDATE run SET state = 6 WHERE state = 1")
            tx.run("UPDATE run SET state = 7 WHERE logical_date = 1")
            tx.run("UPDATE run SET state = 4 WHERE flow_id = 3 AND logical_date = 3")
        assert unrest.find(db).causes == {3: unrest.Unrest.UNDER_WAY}
        taken.append(steps_of(db, look))

    assert max(taken) <= min(taken) * 1.1
    assert flows.number(db) == 2210


def test_of_a_flow_with_many_unfinished_runs_one_is_looked_at(plain: Database) -> None:
    taken = []
    for dates in (range(5), range(5, 2000)):
        with plain.transaction() as tx:
            for flow in (1, 2, 3):
                if dates[0] == 0:
                    make_flows(tx, f"flow {flow}")
                make_runs(tx, flow, *dates)
        assert unrest.find(plain).causes == dict.fromkeys((1, 2, 3), unrest.Unrest.WAITING)
        taken.append(steps_of(plain, lambda: unrest.find(plain)))

    assert taken[1] <= taken[0] * 1.1
