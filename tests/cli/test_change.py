"""What people change in runs and flows, as they type it: the daemon applies it and says what came of it."""

import pytest

from sensord.core.run import State
from tests.cli.program import Program
from tests.daemon.world import HOURLY, World, on

TEN, ELEVEN = "2026-11-22T10:00", "2026-11-22T11:00"


@pytest.fixture
def asking(world: World, sensord: Program) -> Program:
    """`orders` has failed and `mart` is blocked on it. While the program waits, the daemon has its turn."""
    world.flow("orders", HOURLY)
    world.flow("mart", HOURLY, on("orders"))
    world.start()
    world.tick()
    world.end("orders", TEN, 1)
    world.tick()
    sensord.meanwhile = world.tick
    return sensord


def test_a_rerun(world: World, asking: Program) -> None:
    said = asking("run", "rerun", "orders", TEN)

    assert (said.out, said.err, said.code) == ("", "orders 2026-11-22T10:00:00Z is queued\n", 0)
    world.finish("orders", TEN)
    assert world.state("mart", TEN) is State.RUNNING


@pytest.mark.parametrize(("answers", "state"), [("y\n", State.WAITING), ("n\n", State.SUCCESS), ("\n", State.SUCCESS)])
def test_a_person_is_shown_what_runs_again_and_asked(world: World, asking: Program, answers: str, state: State) -> None:
    world.flow("report", HOURLY, on("mart"))
    world.flow("export", HOURLY, on("report"))
    world.daemon.reload()
    asking("run", "mark", "orders", TEN, "success")
    for flow in ("mart", "report"):
        world.tick()
        world.finish(flow, TEN)
    asking.answers = answers

    said = asking("run", "rerun", "orders", TEN, "--downstream")

    assert said.lines == [
        "FLOW    RUNS  FIRST                 LAST                  NOTE",
        "export     1  2026-11-22T10:00:00Z  2026-11-22T10:00:00Z  1 not ended: left alone",
        "mart       1  2026-11-22T10:00:00Z  2026-11-22T10:00:00Z  -",
        "report     1  2026-11-22T10:00:00Z  2026-11-22T10:00:00Z  -",
    ]
    assert "Run 2 runs downstream again, too? [y/N]:" in said.err
    assert world.state("mart", TEN) is state
    assert (said.code, "nothing was changed" in said.err) == ((0, False) if state is State.WAITING else (1, True))


def test_who_has_nothing_to_decide_is_not_asked(world: World, asking: Program) -> None:
    asking.answers = ""

    assert asking("run", "rerun", "orders", TEN, "--downstream").err == "orders 2026-11-22T10:00:00Z is queued\n"
    refused = asking("run", "rerun", "mart", TEN, "--downstream")
    assert (refused.code, "expected a run that has ended" in refused.err) == (1, True)


def test_a_stale_run_is_shown_as_such(world: World, asking: Program) -> None:
    asking("run", "mark", "orders", TEN, "success")
    world.tick()
    world.finish("mart", TEN)
    asking("run", "rerun", "orders", TEN)

    assert "stale: an upstream run was rerun since" in asking("run", "list", "--flow", "mart").out
    assert "stale: an upstream run was rerun since" in asking("status").out
    assert "\n  stale     since 2026-11-22T10:30:00Z: an upstream run was rerun\n" in asking("run", "show", "mart").out
    for shown in (asking("run", "show", "mart", "--json").json, asking("run", "list", "--json").json["runs"][0]):
        assert (shown["stale"], shown["stale_at"]) == (True, "2026-11-22T10:30:00Z")


def test_a_cancel(world: World, asking: Program) -> None:
    said = asking("run", "cancel", "mart", "latest")

    assert (said.err, said.code) == ("mart 2026-11-22T10:00:00Z is cancelled\n", 0)
    reason, message = world.why("mart", TEN)
    assert reason == "by_operator"
    assert message.startswith("by ")
    assert "@" in message


def test_a_mark(world: World, asking: Program) -> None:
    assert asking("run", "mark", "orders", TEN, "success").code == 0

    assert world.state("mart", TEN) is State.RUNNING


@pytest.mark.parametrize(
    ("options", "date"),
    [
        ((), "2026-11-22T10:30:00Z"),
        (("--at", "now"), "2026-11-22T10:30:00Z"),
        (("--at", "2026-11-22 09:10:20"), "2026-11-22T09:10:20Z"),
        (("--date", "2026-11-22T09:00"), "2026-11-22T09:00:00Z"),
        (("--date", "2026-11-22T09"), "2026-11-22T09:00:00Z"),
        (("--date", "2026-11-21"), "2026-11-21T00:00:00Z"),
        (("--at", "today"), "2026-11-22T00:00:00Z"),
    ],
)
def test_a_trigger_is_for_now_or_a_date(asking: Program, options: tuple[str, ...], date: str) -> None:
    said = asking("run", "trigger", "orders", *options)

    assert (said.err, said.code) == (f"orders {date} is queued\n", 0)


def test_a_date_of_a_trigger_is_in_the_flows_zone(world: World, asking: Program) -> None:
    world.flow("kolkata", HOURLY.replace("[run]", 'timezone = "Asia/Kolkata"\n[run]'))
    world.daemon.reload()

    said = asking("run", "trigger", "kolkata", "--date", "2026-11-22T14:30")

    assert said.err == (
        "error: expected a tick of kolkata, got 2026-11-22T09:00:00Z\n"
        "hint: its ticks next to that: 2026-11-22T08:30:00Z, 2026-11-22T09:30:00Z; --at takes any other instant\n"
    )
    assert said.code == 1


def test_a_param_may_hold_anything_that_a_command_can_be_given(world: World, asking: Program) -> None:
    world.flow("orders", '[params]\nx = "a"\n', HOURLY.replace('["true"]', '["load", "{{ params.x }}"]'))
    world.daemon.reload()
    value = "a=b 'c' \"d\" $(e) é\n{{ flow }}"

    assert asking("run", "trigger", "orders", "--param", f"x={value}").code == 0
    world.tick()

    assert world.job("orders", "2026-11-22T10:30").argv == ("load", value)
    assert asking("run", "show", "orders", "--json").json["params"] == {"x": value}
    assert "\n  params    x = \"a=b 'c' " in asking("run", "show", "orders").out


@pytest.mark.parametrize("value", ["x=a\0b", "x=\udcff"])
def test_a_param_that_no_command_can_be_given_is_refused(world: World, asking: Program, value: str) -> None:
    world.flow("orders", '[params]\nx = "a"\n', HOURLY.replace('["true"]', '["load", "{{ params.x }}"]'))
    world.daemon.reload()

    said = asking("run", "trigger", "orders", "--param", value)

    assert (said.code, "expected a text without null characters" in said.err) == (1, True)


def test_pause_and_resume(world: World, asking: Program) -> None:
    assert asking("flow", "pause", "orders").err == "orders is paused\n"
    world.tick(ELEVEN)
    assert list(world.runs("orders")) == [TEN]

    assert asking("flow", "resume", "orders").err == "orders goes on\n"
    assert list(world.runs("orders")) == [TEN, ELEVEN]


def test_what_the_daemon_proposes_is_told(asking: Program) -> None:
    said = asking("run", "cancel", "orders", TEN)

    assert said.code == 1
    assert said.err.endswith(
        "got orders 2026-11-22T10:00:00Z in failed\nhint: sensord run mark orders 2026-11-22T10:00:00Z cancelled\n"
    )


@pytest.mark.parametrize("verb", [["rerun"], ["cancel"], ["mark", "success"]])
def test_what_has_gone_meanwhile_is_not_found(world: World, asking: Program, verb: list[str]) -> None:
    def forget_and_turn() -> None:
        world.db.run("DELETE FROM run WHERE state = 7")
        world.tick()

    asking.meanwhile = forget_and_turn
    said = asking("run", verb[0], "orders", TEN, *verb[1:])

    assert said.code == 4
    assert said.err == (
        "error: expected a run of orders 2026-11-22T10:00:00Z, got none\nhint: sensord run list --flow orders\n"
    )


def test_what_the_daemon_refuses_is_an_error(asking: Program) -> None:
    said = asking("run", "rerun", "mart", TEN)

    assert said.code == 1
    assert said.err == "error: expected a run that has ended, got mart 2026-11-22T10:00:00Z in waiting\n"


@pytest.mark.parametrize(
    "words",
    [
        ("run", "rerun", "order", TEN),
        ("run", "cancel", "orders", "2026-11-22T09:00"),
        ("run", "mark", "orders", "2026-11-22T09:00", "success"),
        ("run", "trigger", "order"),
        ("flow", "pause", "order"),
    ],
)
def test_what_is_not_there_is_not_found_and_nothing_is_asked(
    world: World, asking: Program, words: tuple[str, ...]
) -> None:
    said = asking(*words)

    assert said.code == 4
    assert world.db.fetch("SELECT COUNT(*) FROM request") == [(0,)]


@pytest.mark.parametrize(
    "words",
    [
        ("run", "rerun", "orders", TEN),
        ("run", "mark", "orders", TEN, "failed"),
        ("run", "trigger", "orders"),
        ("flow", "pause", "orders"),
    ],
)
def test_without_a_daemon_nothing_is_written(world: World, asking: Program, words: tuple[str, ...]) -> None:
    world.daemon.lead.release()

    assert asking(*words).code == 3
    assert world.db.fetch("SELECT COUNT(*) FROM request") == [(0,)]


def test_a_state_that_is_not_final_cannot_be_marked(asking: Program) -> None:
    said = asking("run", "mark", "orders", TEN, "running")

    assert said.code == 2
    assert "'running' is not one of" in said.err


def test_retire(world: World, asking: Program) -> None:
    said = asking("flow", "retire", "orders")
    assert (said.code, said.err) == (
        1,
        "error: expected a flow whose file is gone, got orders, which has one\n"
        "hint: remove the file first; `sensord daemon reload` has the daemon see it\n",
    )

    world.remove("orders")
    world.daemon.reload()

    assert asking("flow", "retire", "orders").err == "orders is retired; 0 of its runs are cancelled\n"
    assert world.state("mart", TEN) is State.FAILED
    assert [line.split()[0] for line in asking("flow", "list").lines[1:]] == ["mart"]
    assert asking("flow", "show", "orders").lines[0] == "orders: retired"
