"""Retention: what goes of old runs, what stays for ever, and what is kept back until it is old enough."""

import pytest

from sensord.core.instant import to_micros
from sensord.core.past import What
from sensord.core.run import State
from sensord.daemon import retention
from sensord.errors import SensordError
from sensord.store import requests
from tests.daemon.world import World, at, on

DAY1, DAY2, DAY3 = "2026-11-20T02:00", "2026-11-21T02:00", "2026-11-22T02:00"
LATER, MUCH_LATER = "2027-03-01T00:00", "2027-07-01T00:00"
TABLES = ("attempt", "outcome", "edge", "gate", "timer")


def daily(*, keys: str = "", start: str = "2026-11-20", end: str = "2026-11-22T12:00:00", run: str = "") -> str:
    return f'{keys}\n[schedule]\ncron = "0 2 * * *"\nstart = {start}\nend = {end}\n[run]\ncommand = ["true"]\n{run}'


def settings(world: World, text: str) -> None:
    (world.folder / "sensord.toml").write_text(text)


def rows(world: World) -> dict[str, int]:
    """How many rows there are of more than the outcome."""
    return {table: world.db.fetch(f"SELECT COUNT(*) FROM {table}")[0][0] for table in TABLES}


def has_attempts(world: World, flow: str, date: str) -> bool:
    (row,) = world.db.fetch(
        "SELECT COUNT(a.number) FROM run r JOIN flow f ON f.id = r.flow_id LEFT JOIN attempt a ON a.run_id = r.id "
        "WHERE f.name = :flow AND r.logical_date = :date",
        flow=flow,
        date=to_micros(at(date)),
    )
    return bool(row[0])


def run_all(world: World, flow: str, *dates: str) -> None:
    for date in dates:
        world.tick()
        world.finish(flow, date)


@pytest.fixture
def orders(world: World) -> World:
    """Three days of orders that have run, and a mart that waited for them; kept for 90 days."""
    settings(world, 'retention = "90d"')
    world.flow("orders", daily())
    world.flow("mart", daily(), on("orders"), on("orders", match="interval", within="2d", require="any"))
    world.start()
    run_all(world, "orders", DAY1, DAY2, DAY3)
    run_all(world, "mart", DAY1, DAY2, DAY3)
    return world


def test_of_old_runs_only_the_outcome_is_kept(orders: World) -> None:
    logs = set(orders.executor.jobs)
    assert all(rows(orders)[table] for table in ("attempt", "outcome", "edge", "gate"))

    orders.tick(LATER)

    assert rows(orders) == dict.fromkeys(TABLES, 0)
    assert orders.runs("orders") == dict.fromkeys([DAY1, DAY2, DAY3], State.SUCCESS)
    assert orders.runs("mart") == orders.runs("orders")
    assert set(orders.executor.forgotten) == {attempt.run_id for attempt in logs}
    assert orders.executor.jobs == {}


def test_what_the_executor_refuses_to_delete_is_pruned_later(orders: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise SensordError("no keeper answers")

    with monkeypatch.context() as patch:
        patch.setattr(orders.executor, "forget", refuse)
        with pytest.raises(SensordError, match="no keeper"):
            orders.tick(LATER)
    assert rows(orders)["attempt"] == 6

    orders.tick()

    assert rows(orders) == dict.fromkeys(TABLES, 0)


def test_until_they_are_old_everything_is_kept(orders: World) -> None:
    before = rows(orders)

    orders.tick("2027-02-18T02:00")  # 90 days after the first date, but not after its end

    assert rows(orders) == before
    assert orders.executor.forgotten == []


def test_the_daemon_wakes_when_they_are_old_enough_and_not_much_more_often(orders: World) -> None:
    orders.tick()
    wakes = []
    while (due_at := orders.daemon.next_at) and due_at < at("2027-02-21"):
        wakes.append(due_at)
        orders.clock.set(due_at)
        orders.tick()

    assert wakes[0] == at("2027-02-18T02:00")
    assert wakes[-1] == at("2027-02-20T10:30")
    assert len(wakes) <= 5
    assert rows(orders)["attempt"] == 0


def test_one_that_has_only_just_ended_holds_the_others_up_until_it_is_old_enough(world: World) -> None:
    settings(world, 'retention = "7d"')
    world.flow("orders", daily(end="2026-11-30T12:00:00"))
    world.start()
    run_all(world, "orders", DAY1, DAY2, DAY3)
    world.tick("2026-11-23T02:00")
    world.clock.set(at("2026-11-23T05:00"))
    run_all(world, "orders", "2026-11-23T02:00")

    world.tick("2026-11-30T02:00")
    assert [has_attempts(world, "orders", day) for day in (DAY3, "2026-11-23T02:00")] == [False, True]
    assert world.daemon.next_at == at("2026-11-30T05:00")
    assert world.db.fetch("SELECT * FROM unpruned") == []

    world.tick("2026-11-30T05:00")
    assert not has_attempts(world, "orders", "2026-11-23T02:00")


def test_without_retention_nothing_goes(world: World) -> None:
    world.flow("orders", daily())
    world.start()
    run_all(world, "orders", DAY1, DAY2, DAY3)

    world.tick(MUCH_LATER)

    assert rows(world)["attempt"] == 3
    assert world.daemon.next_at is None


def test_that_of_a_flow_goes_before_that_of_all(world: World) -> None:
    settings(world, 'retention = "90d"')
    world.flow("short", daily(keys='retention = "7d"'))
    world.flow("long", daily(keys='retention = "200d"'))
    world.start()
    for flow in ("short", "long"):
        run_all(world, flow, DAY1, DAY2, DAY3)

    world.tick("2026-11-30T00:00")
    assert [has_attempts(world, flow, DAY1) for flow in ("short", "long")] == [False, True]

    world.tick(LATER)
    assert has_attempts(world, "long", DAY1)
    world.tick(MUCH_LATER)
    assert not has_attempts(world, "long", DAY1)


def test_retention_that_is_asked_for_later_holds_for_what_is_there(world: World) -> None:
    world.flow("orders", daily())
    world.start()
    run_all(world, "orders", DAY1, DAY2, DAY3)
    world.tick(LATER)
    assert rows(world)["attempt"] == 3

    settings(world, 'retention = "90d"')
    world.daemon.reload()
    world.tick()

    assert rows(world)["attempt"] == 0


def test_a_yearly_flow_over_365_dailies_still_finds_them(world: World) -> None:
    settings(world, 'retention = "30d"')
    world.flow("orders", daily(start="2026-01-01", end="2026-12-31T12:00:00", run="max_active = 400"))
    yearly = '[schedule]\ncron = "0 3 1 1 *"\nstart = 2026-12-31\nend = 2027-06-01\n[run]\ncommand = ["true"]\n'
    world.flow("year", yearly, on("orders", match="interval"))
    world.slots = 400
    world.start()
    world.tick("2026-12-31T03:00")
    for attempt in world.executor.running:
        world.executor.end(attempt)
    world.tick()

    world.clock.set(at("2027-02-15T00:00"))
    world.tick()
    world.tick()

    assert len(world.runs("orders")) == 365
    assert not has_attempts(world, "orders", "2026-06-01T02:00")
    assert world.state("year", "2027-01-01T03:00") is State.RUNNING


class TestWhatIsNotYetOver:
    def test_an_unfinished_run_holds_up_no_other(self, world: World) -> None:
        settings(world, 'retention = "90d"')
        world.flow("orders", daily(run="max_active = 3"))
        world.start()
        world.tick()
        world.finish("orders", DAY2, DAY3)

        world.tick(LATER)

        assert [has_attempts(world, "orders", day) for day in (DAY1, DAY2, DAY3)] == [True, False, False]
        assert world.state("orders", DAY1) is State.RUNNING

    def test_and_goes_when_it_has_ended_long_ago(self, world: World) -> None:
        settings(world, 'retention = "90d"')
        world.flow("orders", daily(run="max_active = 3"))
        world.start()
        world.tick()
        world.finish("orders", DAY2, DAY3)
        world.tick(LATER)
        world.finish("orders", DAY1)

        world.tick("2027-05-01T00:00")
        assert has_attempts(world, "orders", DAY1)
        world.tick(MUCH_LATER)
        assert not has_attempts(world, "orders", DAY1)
        assert world.state("orders", DAY1) is State.SUCCESS
        assert world.db.fetch("SELECT * FROM unpruned") == []

    def test_a_run_that_is_run_again_goes_again(self, orders: World) -> None:
        orders.tick(LATER)
        orders.daemon.change("rerun", {"flow": "orders", "logical_date": "2026-11-20T02:00:00Z"})
        orders.tick()
        assert orders.attempt("orders", DAY1).number == 2
        orders.finish("orders", DAY1)
        assert has_attempts(orders, "orders", DAY1)

        orders.tick(MUCH_LATER)

        assert not has_attempts(orders, "orders", DAY1)
        assert orders.state("orders", DAY1) is State.SUCCESS

    def test_also_where_the_daemon_was_another_one_by_then(self, orders: World) -> None:
        orders.tick(LATER)
        orders.daemon.change("rerun", {"flow": "orders", "logical_date": "2026-11-20T02:00:00Z"})
        orders.restart()
        orders.tick()
        orders.finish("orders", DAY1)
        orders.restart()

        orders.tick(MUCH_LATER)

        assert rows(orders)["attempt"] == 0


class TestInBetween:
    """Between the deletion of the logs and that of the rows."""

    def test_a_crash_leaves_nothing_behind(self, orders: World, monkeypatch: pytest.MonkeyPatch) -> None:
        orders.clock.set(at(LATER))
        orders.daemon.tick()
        assert orders.executor.forgotten
        assert rows(orders)["attempt"] == 6

        orders.executor.poll()  # it had said so, to the daemon that is no more
        orders.restart()
        orders.tick()

        assert rows(orders) == dict.fromkeys(TABLES, 0)

    def test_a_run_that_is_run_again_is_left_alone(self, orders: World) -> None:
        orders.clock.set(at(LATER))
        orders.daemon.tick()

        orders.daemon.change("rerun", {"flow": "mart", "logical_date": "2026-11-20T02:00:00Z"})
        orders.tick()

        assert orders.attempt("mart", DAY1).number == 2
        assert has_attempts(orders, "mart", DAY1)
        assert not has_attempts(orders, "mart", DAY2)
        orders.finish("mart", DAY1)
        orders.tick(MUCH_LATER)
        assert not has_attempts(orders, "mart", DAY1)

    def test_a_reload_begins_anew(self, orders: World) -> None:
        orders.clock.set(at(LATER))
        orders.daemon.tick()

        orders.daemon.reload()
        orders.tick()

        assert rows(orders)["attempt"] == 0


def test_it_takes_slices(orders: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "SLICE", 2)
    orders.clock.set(at(LATER))

    left = []
    while not orders.daemon.tick().idle:
        left.append(rows(orders)["attempt"])

    assert left == [6, 4, 4, 2, 2, 0]


def test_old_requests_go_once_they_are_answered(orders: World) -> None:
    for kind in ("reload", "nonsense"):
        requests.ask(orders.db, kind, {}, who="ann", now=0)
    orders.tick()
    assert orders.db.fetch("SELECT COUNT(*) FROM request") == [(2,)]

    orders.tick(LATER)

    assert orders.db.fetch("SELECT COUNT(*) FROM request") == [(0,)]


def test_requests_are_kept_where_only_a_flow_has_retention(world: World) -> None:
    world.flow("orders", daily(keys='retention = "7d"'))
    world.start()
    requests.ask(world.db, "reload", {}, who="ann", now=0)
    run_all(world, "orders", DAY1)

    world.tick(LATER)

    assert not has_attempts(world, "orders", DAY1)
    assert world.db.fetch("SELECT COUNT(*) FROM request") == [(1,)]


def test_what_a_run_was_before_goes_with_the_rest(orders: World) -> None:
    orders.daemon.change("rerun", {"flow": "orders", "logical_date": f"{DAY2}:00Z", "who": "ann"})
    orders.tick()
    orders.finish("orders", DAY2)
    assert orders.db.fetch("SELECT COUNT(*) FROM past") == [(1,)]

    orders.tick(LATER)

    assert orders.db.fetch("SELECT COUNT(*) FROM past") == [(0,)]


def test_what_is_known_of_missed_ticks_goes_when_later_runs_are_old(world: World) -> None:
    # given an hour that was missed while somebody waited for it
    settings(world, 'retention = "30d"')
    world.flow("orders", '[schedule]\ncron = "0 * * * *"\ncatchup = "none"\n[run]\ncommand = ["true"]\n')
    world.flow(
        "mart",
        daily(start="2026-11-22", end="2026-11-22T02:00:00"),
        on("orders", match="latest", ahead=10, on_skipped="wait"),
    )
    world.start()
    world.tick()
    world.tick("2026-11-22T14:30")
    world.finish("orders", "2026-11-22T10:00")
    world.finish("orders", "2026-11-22T14:00")
    assert world.db.fetch("SELECT what FROM past") == [(What.MISSED,)]

    world.tick("2026-12-20T00:00")
    assert world.db.fetch("SELECT COUNT(*) FROM past") == [(1,)]

    world.tick("2026-12-23T00:00")
    assert world.db.fetch("SELECT COUNT(*) FROM past") == [(0,)]
