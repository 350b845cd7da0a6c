"""`sensord why` of the past: how long a run waited and for what, why it was ended, and what it was before."""

from datetime import timedelta

import pytest

from tests.cli.program import Program
from tests.daemon.world import DAILY, HOURLY, World, at, on

DAY = "2026-11-22T"
TWO, TEN = f"{DAY}02:00", f"{DAY}10:00"


def start(world: World, now: str = TWO) -> None:
    world.clock.set(at(now))
    world.start()
    world.tick()


def ask(world: World, kind: str, flow: str, date: str, **body: object) -> None:
    world.daemon.change(kind, {"flow": flow, "logical_date": f"{date}:00Z", "who": "ann", **body})
    world.tick()


def verdicts(sensord: Program, flow: str, index: int = 0) -> list[tuple[str, str, str]]:
    """(verdict, since, until), the times as hours and minutes."""
    past = sensord("why", flow, "--json").json["past"]
    found = past["sensors"][index]["verdicts"]
    return [(one["verdict"], *(one[key].removeprefix(DAY)[:5] for key in ("since", "until"))) for one in found]


@pytest.fixture
def night(world: World) -> World:
    """B failed at 2:14, was sent back at 4:50, and succeeded at 5:10, which released C and D; E was skipped."""
    world.flow("b", DAILY)
    world.flow("c", DAILY, on("b"))
    world.flow("d", DAILY, on("c"), on("b"))
    world.flow("e", DAILY, on("b", on_failure="skip"))
    world.flow("f", DAILY, on("e"))
    start(world)
    world.clock.set(at(f"{DAY}02:14"))
    world.end("b", TWO, 1)
    world.tick()
    world.clock.set(at(f"{DAY}04:50"))
    ask(world, "rerun", "b", TWO)
    world.clock.set(at(f"{DAY}05:10"))
    world.finish("b", TWO)
    world.clock.set(at(f"{DAY}05:30"))
    world.finish("c", TWO)
    world.clock.set(at(f"{DAY}06:00"))
    return world


def test_why_it_waited_from_two_to_ten_past_five(night: World, sensord: Program) -> None:
    assert sensord("why", "c").lines == [
        "c 2026-11-22T02:00:00Z: success 30m ago",
        "",
        "It waited for 3h10m, from 2026-11-22T02:00:00Z to 2026-11-22T05:10:00Z.",
        "Its command ran for 20m.",
        "",
        "sensor 0 on b, latest: satisfied",
        "  1 of 1 done",
        "  2026-11-22T02:00:00Z  waiting for 14m",
        "  2026-11-22T02:14:00Z  blocked for 2h36m: b 2026-11-22T02:00:00Z failed (exit 1)",
        "  2026-11-22T04:50:00Z  waiting for 20m: b 2026-11-22T02:00:00Z was sent back by ann",
        "  2026-11-22T05:10:00Z  satisfied: b 2026-11-22T02:00:00Z succeeded",
        "",
        "What came last",
        "  b 2026-11-22T02:00:00Z  succeeded at 2026-11-22T05:10:00Z; it did not wait, and took 20m",
        "    before, it failed (exit 1) at 2026-11-22T02:14:00Z, and was sent back by ann at 2026-11-22T04:50:00Z",
        "",
        "It is over.",
    ]


def test_what_came_last_is_followed_up(night: World, sensord: Program) -> None:
    past = sensord("why", "d", "--json").json["past"]
    assert [(one["flow"], one["waited_until"][11:16], one["finished_at"][11:16]) for one in past["last"]] == [
        ("c", "05:10", "05:30"),
        ("b", "04:50", "05:10"),
    ]
    assert (past["released"], past["waited_until"]) == (True, "2026-11-22T05:30:00Z")


def test_why_it_was_skipped_though_all_is_mended_now(night: World, sensord: Program) -> None:
    lines = sensord("why", "e").lines
    assert lines[0] == "e 2026-11-22T02:00:00Z: skipped 3h46m ago: sensor 0: b 2026-11-22T02:00:00Z failed"
    assert lines[2] == "It waited for 14m, from 2026-11-22T02:00:00Z to 2026-11-22T02:14:00Z."
    assert lines[4:8] == [
        "sensor 0 on b, latest: impossible; now satisfied",
        "  1 of 1 done",
        "  2026-11-22T02:00:00Z  waiting for 14m",
        "  2026-11-22T02:14:00Z  impossible: b 2026-11-22T02:00:00Z failed (exit 1)",
    ]
    assert lines[9:] == [
        "Root cause, as things stood then",
        "  b 2026-11-22T02:00:00Z  failed since 2026-11-22T02:14:00Z: exit 1",
        "    sent back by ann at 2026-11-22T04:50:00Z, success now",
        "",
        "What ended it has succeeded since: `sensord run rerun e 2026-11-22T02:00:00Z` runs it after all.",
    ]


def test_the_root_of_a_chain_of_skips(night: World, sensord: Program) -> None:
    (cause,) = sensord("why", "f", "--json").json["causes"]
    assert (cause["kind"], cause["flow"], cause["since"], cause["now"]) == (
        "failed",
        "b",
        "2026-11-22T02:14:00Z",
        "success",
    )
    assert [step["flow"] for step in cause["path"]] == ["f", "e"]


def test_a_rerun_begins_a_new_story_and_the_old_one_is_named(night: World, sensord: Program) -> None:
    ask(night, "rerun", "e", TWO)
    night.clock.set(at(f"{DAY}06:20"))
    night.finish("e", TWO)
    lines = sensord("why", "e").lines
    assert lines[2:4] == [
        "It was skipped (sensor 0: b 2026-11-22T02:00:00Z failed) at 2026-11-22T02:14:00Z, and was sent back by ann"
        " at 2026-11-22T06:00:00Z.",
        "It did not have to wait: it was released at once, at 2026-11-22T06:00:00Z.",
    ]
    past = sensord("why", "e", "--json").json["past"]
    assert (past["begun_at"], past["again_by"]) == ("2026-11-22T06:00:00Z", "ann")
    assert past["ends"] == [
        {
            "state": "skipped",
            "since": "2026-11-22T02:14:00Z",
            "until": "2026-11-22T06:00:00Z",
            "reason": "upstream_failed",
            "message": "sensor 0: b 2026-11-22T02:00:00Z failed",
            "attempt": 0,
            "left_by": "rerun",
            "who": "ann",
        }
    ]


def test_the_log_of_then_is_that_of_the_attempt_that_failed_then(night: World, sensord: Program) -> None:
    from sensord.executors.folders import log_of

    for attempt, text in ((1, "no route"), (2, "all is well")):
        path = night.folder.parent / ".sensord" / "runs" / log_of(night.attempt("b", TWO).run_id, attempt)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    assert sensord("why", "e", "--json").json["causes"][0]["log"] == ["no route"]


def test_a_run_that_failed_at_its_deadline_shows_what_had_not_ended_then(world: World, sensord: Program) -> None:
    world.flow("a", DAILY)
    world.flow("b", DAILY, on("a"))
    world.flow("c", DAILY, on("b", timeout="1h"))
    start(world)
    world.tick(f"{DAY}03:00")
    world.clock.set(at(f"{DAY}03:30"))
    world.finish("a", TWO)
    shown = sensord("why", "c", "--json").json
    assert [(cause["kind"], cause["flow"], cause["later"]) for cause in shown["causes"]] == [
        ("running", "a", "succeeded at 2026-11-22T03:30:00Z")
    ]
    assert [step["flow"] for step in shown["causes"][0]["path"]] == ["c", "b"]
    assert verdicts(sensord, "c") == [("waiting", "02:00", "03:00")]


def test_a_deadline_of_a_mapping_that_finds_nothing_is_that_mappings_fault(world: World, sensord: Program) -> None:
    world.flow("a", DAILY.replace("[run]", "start = 2027-01-01\n[run]"))
    world.flow("b", DAILY, on("a", on_missing="wait"))
    world.flow("c", DAILY, on("b", timeout="1h"))
    world.flow("d", DAILY, on("a", on_missing="wait", timeout="1h"))
    start(world)
    world.tick(f"{DAY}03:00")
    found = {flow: sensord("why", flow, "--json").json["causes"] for flow in ("c", "d")}
    assert [(one["kind"], one["flow"]) for one in found["c"] + found["d"]] == [("no_match", "b"), ("no_match", "d")]
    assert [len(one["path"]) for one in found["c"] + found["d"]] == [1, 0]


def test_a_missed_tick_skips_and_is_named(world: World, sensord: Program) -> None:
    world.flow("a", HOURLY.replace("[run]", 'catchup = "none"\n[run]'))
    world.flow("c", DAILY, on("a", match="latest", ahead=2))
    start(world)
    world.tick(f"{DAY}06:30")
    assert verdicts(sensord, "c") == [("waiting", "02:00", "06:30"), ("impossible", "06:30", "06:30")]
    ask(world, "trigger", "a", f"{DAY}04:00", tick=True)
    world.end("a", TWO)
    world.tick()
    world.finish("a", f"{DAY}04:00")
    (cause,) = sensord("why", "c", "--json").json["causes"]
    assert (cause["kind"], cause["message"], cause["now"]) == ("skipped", "its tick passed without a run", "success")
    assert cause["later"] == "run after all by ann at 2026-11-22T06:30:00Z"


def test_a_sensor_that_went_on_at_its_deadline(world: World, sensord: Program) -> None:
    world.flow("a", DAILY)
    world.flow("b", DAILY)
    world.flow("c", DAILY, on("a", timeout="1h", on_timeout="proceed"), on("b"))
    start(world)
    world.tick(f"{DAY}03:00")
    world.clock.set(at(f"{DAY}04:00"))
    world.finish("b", TWO)
    assert verdicts(sensord, "c") == [("waiting", "02:00", "03:00"), ("satisfied", "03:00", "04:00")]
    lines = sensord("why", "c").lines
    assert "  2026-11-22T03:00:00Z  satisfied: its deadline had passed" in lines
    assert any(line.startswith("It went on without a 2026-11-22T02:00:00Z (running, on_timeout)") for line in lines)


def test_a_run_that_retried_still_knows_when_it_was_released(world: World, sensord: Program) -> None:
    world.flow("a", DAILY)
    world.flow("c", DAILY + 'retries = 1\nretry_delay = "10m"\n', on("a"))
    start(world)
    world.clock.set(at(f"{DAY}03:00"))
    world.finish("a", TWO)
    world.clock.set(at(f"{DAY}03:05"))
    world.end("c", TWO, 1)
    world.tick()
    world.tick(f"{DAY}03:15")
    world.clock.set(at(f"{DAY}03:20"))
    world.finish("c", TWO)
    lines = sensord("why", "c").lines
    assert lines[2:4] == [
        "It waited for 1h, from 2026-11-22T02:00:00Z to 2026-11-22T03:00:00Z.",
        "It took 2 attempts: exit 1 at 2026-11-22T03:05:00Z, exit 0 at 2026-11-22T03:20:00Z.",
    ]


def test_a_run_that_was_to_run_at_once_did_not_wait_though_it_retried(world: World, sensord: Program) -> None:
    world.flow("a", DAILY)
    world.flow("c", DAILY + 'retries = 1\nretry_delay = "10m"\n', on("a"))
    start(world)
    ask(world, "cancel", "c", TWO)
    world.clock.set(at(f"{DAY}03:00"))
    ask(world, "rerun", "c", TWO, at_once=True)
    world.end("c", TWO, 1)
    world.tick()
    world.tick(f"{DAY}03:10")
    assert "It was to run at once, from 2026-11-22T03:00:00Z on, whatever its sensors had." in sensord("why", "c").lines
    assert sensord("why", "c", "--json").json["past"]["waited_until"] == "2026-11-22T03:00:00Z"


def test_who_cancelled_it_and_what_brings_it_back(world: World, sensord: Program) -> None:
    world.flow("a", DAILY)
    start(world)
    ask(world, "cancel", "a", TWO)
    world.executor.end(world.attempt("a", TWO), None, signal=15)
    world.tick(f"{DAY}02:30")
    lines = sensord("why", "a").lines
    assert lines[0] == "a 2026-11-22T02:00:00Z: cancelled 30m ago: by ann"
    assert lines[-1] == "It stays cancelled, until `sensord run rerun a 2026-11-22T02:00:00Z`."


def test_a_lost_run_leaves_the_question_to_a_person(world: World, sensord: Program) -> None:
    world.flow("a", DAILY)
    start(world)
    world.executor.end(world.attempt("a", TWO), None, problem="lost", message="its machine went down")
    world.tick()
    assert sensord("why", "a").lines[-1] == (
        "Nobody knows whether its command did its work: see whether it did, then "
        "`sensord run mark a 2026-11-22T02:00:00Z success`, or `sensord run rerun a 2026-11-22T02:00:00Z`."
    )


def test_a_run_that_failed_says_how_many_it_holds_up(world: World, sensord: Program) -> None:
    world.flow("a", DAILY)
    world.flow("b", DAILY, on("a"))
    world.flow("c", DAILY, on("a"), on("a", match="latest", on_failure="wait"))
    world.flow("d", DAILY, on("a", accept=["failed"]))
    start(world)
    world.end("a", TWO, 1)
    world.tick()
    assert sensord("why", "a").lines[-1] == "2 runs wait for it."


def test_a_mark_after_the_end_changes_no_story(night: World, sensord: Program) -> None:
    ask(night, "mark", "e", TWO, state="success")
    assert verdicts(sensord, "e") == [("waiting", "02:00", "02:14"), ("impossible", "02:14", "02:14")]
    past = sensord("why", "e", "--json").json["past"]
    assert [(one["state"], one["left_by"], one["who"]) for one in past["ends"]] == [("skipped", "mark", "ann")]
    assert past["waited_until"] == "2026-11-22T02:14:00Z"


def test_what_was_waited_for_before_a_new_mapping_is_not_made_up(world: World, sensord: Program) -> None:
    world.flow("a", DAILY)
    world.flow("b", DAILY)
    world.flow("c", DAILY, on("a"))
    start(world)
    world.clock.set(at(f"{DAY}02:30"))
    world.flow("c", DAILY, on("b"))
    world.daemon.reload()
    world.clock.set(at(f"{DAY}03:00"))
    world.finish("b", TWO)
    assert verdicts(sensord, "c") == [("waiting", "02:30", "03:00"), ("satisfied", "03:00", "03:00")]
    assert "It was mapped anew at 2026-11-22T02:30:00Z" in sensord("why", "c").out
    assert "It waited for 1h, from 2026-11-22T02:00:00Z" in sensord("why", "c").out


def test_after_retention_nothing_is_made_up_either(night: World, sensord: Program) -> None:
    (night.folder / "sensord.toml").write_text('retention = "30d"')
    night.finish("d", TWO)
    night.daemon.reload()
    night.tick("2027-01-10T00:00")
    said = sensord("why", "c", TWO)
    assert said.lines[2] == "What it waited for, and its attempts, are not kept any more: retention has taken them."
    assert "sensor 0" not in said.out
    assert sensord("why", "c", TWO, "--json").json["past"]["kept"] is False


def test_a_waiting_run_that_went_back_and_forth_tells_it(night: World, sensord: Program) -> None:
    night.flow("g", HOURLY, on("b"), on("never", match="next"))
    night.flow("never", '[schedule]\ncron = "0 20 * * *"\nstart = 2026-11-22\n[run]\ncommand = ["true"]\n')
    night.daemon.reload()
    night.tick()
    night.clock.set(at(f"{DAY}06:10"))
    ask(night, "rerun", "b", TWO)
    night.clock.set(at(f"{DAY}06:20"))
    night.end("b", TWO, 1)
    night.tick()
    night.clock.set(at(f"{DAY}06:30"))
    lines = sensord("why", "g").lines
    assert "  2026-11-22T06:10:00Z  waiting for 10m: b 2026-11-22T02:00:00Z was sent back by ann" in lines
    assert "  2026-11-22T06:20:00Z  blocked: b 2026-11-22T02:00:00Z failed (exit 1)" in lines


def wide(world: World) -> None:
    """A chain of twenty behind the last of a thousand upstreams; the first of the chain holds all up until five."""
    world.flow("c00", DAILY)
    for number in range(1, 20):
        world.flow(f"c{number:02}", DAILY, on(f"c{number - 1:02}"))
    for number in range(999):
        world.flow(f"u/{number:03}", DAILY)
    world.flow("fan", DAILY, *(on(f"u/{number:03}", on_failure="fail") for number in range(999)), on("c19"))
    world.flow("after", DAILY, on("fan", on_failure="skip"))
    world.slots = 2_000
    start(world)


def test_a_fan_in_of_a_thousand_is_told_down_a_chain_of_twenty(world: World, sensord: Program) -> None:
    wide(world)
    while running := world.executor.running:
        world.clock.move(timedelta(minutes=10))
        for attempt in running:
            world.executor.end(attempt)
        world.tick()

    past = sensord("why", "fan", "--json").json["past"]

    assert len(past["sensors"]) == 1_000
    assert [len(one["verdicts"]) for one in past["sensors"]] == [2] * 1_000
    assert past["waited_until"] == f"{DAY}05:20:00Z"
    assert [one["flow"] for one in past["last"]] == [f"c{number:02}" for number in range(19, -1, -1)]
    lines = sensord("why", "fan").lines
    assert "  (10 runs more in between)" in lines
    assert any(
        line.startswith("  c00 2026-11-22T02:00:00Z  succeeded at 2026-11-22T02:10:00Z; it did not") for line in lines
    )


def test_the_root_of_a_thousand_is_found_with_the_same_few_statements(world: World, sensord: Program) -> None:
    from sensord.cli.past import Archive
    from sensord.cli.past_causes import find_past_causes
    from sensord.store.reads import past, runs

    wide(world)
    world.clock.set(at(f"{DAY}03:00"))
    world.end("u/500", TWO, 1)
    world.tick()
    run = runs.by_date(world.db, "after", at(TWO))
    assert run

    before = world.db.statements
    archive = Archive(world.db, world.clock.now())
    (story,) = archive.tell([past.known(world.db, run)])
    causes = find_past_causes(archive, story)

    assert [(cause.flow, cause.kind.value) for cause in causes.found] == [("u/500", "failed")]
    assert world.db.statements - before <= 1 + 3 * 5
