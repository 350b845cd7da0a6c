"""`sensord backfill`: what is asked for, shown and asked before, and how far it is."""

import pytest

from sensord.cli import backfill_preview
from sensord.core.run import State
from tests.cli.program import Program, write
from tests.daemon.world import DAILY, HOURLY, World, on

DATES = ("--from", "2026-11-21T01:00Z", "--to", "2026-11-21T03:00Z")


@pytest.fixture
def asking(world: World, sensord: Program) -> Program:
    """A daemon at work on an hourly flow and two that hang on it; a person is at the terminal."""
    world.flow("up", HOURLY)
    world.flow("down", HOURLY, on("up"))
    world.flow("daily", DAILY, on("up", match="interval", align="day"))
    world.start()
    world.tick()
    sensord.meanwhile = world.tick
    return sensord


def test_a_person_is_told_how_many_runs_it_has_and_asked(world: World, asking: Program) -> None:
    asking.answers = "y\n"

    said = asking("backfill", "down", *DATES, "--upstream")

    assert said.code == 0, said.err
    assert said.lines[:3] == ["FLOW  NEW  AGAIN", "down    3      0", "up      3      0"]
    assert "Run 6 runs?" in said.err
    assert "backfill 1 is under way: down, 2026-11-21T01:00:00Z to 2026-11-21T03:00:00Z" in said.err
    assert world.state("up", "2026-11-21T01:00") is State.QUEUED


@pytest.mark.parametrize("more", [(), ("--yes",)])
def test_a_dry_run_tells_how_many_runs_it_has_and_makes_none(
    world: World, asking: Program, more: tuple[str, ...]
) -> None:
    said = asking("backfill", "down", *DATES, "--upstream", "--dry-run", *more)

    assert (said.code, said.err) == (0, "")
    assert said.lines == ["FLOW  NEW  AGAIN", "down    3      0", "up      3      0"]
    assert world.db.fetch("SELECT id FROM backfill") == world.db.fetch("SELECT id FROM request") == []


def test_who_says_no_gets_none(world: World, asking: Program) -> None:
    asking.answers = "n\n"

    said = asking("backfill", "up", *DATES)

    assert (said.code, world.db.fetch("SELECT id FROM backfill")) == (1, [])


def test_without_a_person_it_takes_yes(asking: Program) -> None:
    said = asking("backfill", "up", *DATES)

    assert said.code == 2
    assert "expected --yes with a backfill" in said.err


def test_what_is_downstream_is_counted_too_and_what_would_run_again(world: World, asking: Program) -> None:
    world.end("up", "2026-11-22T10:00", 1)
    world.tick()
    asking.answers = "y\n"

    said = asking(
        *("backfill", "up", "--from", "2026-11-21T01:00Z", "--to", "2026-11-22T10:00Z"),
        *("--rerun", "failed", "--downstream"),
    )

    table = {line.split()[0]: line.split()[1:] for line in said.lines if line}
    assert table["up"] == ["33", "1"]
    assert table["down"] == ["33", "0"]
    assert "daily" not in table, "no new day has an hour among these, and today's was skipped"


def test_where_all_dates_have_runs_it_says_so(asking: Program) -> None:
    asking.answers = "y\n"

    said = asking("backfill", "up", "--from", "2026-11-22T10:00Z", "--to", "now")

    assert (said.code, "there is nothing to run" in said.err) == (4, True)


def test_of_very_many_it_says_so_many_or_more(asking: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill_preview, "MOST", 2)
    monkeypatch.setattr(backfill_preview, "BATCH", 2)
    asking.answers = "n\n"

    assert "Run 2 runs or more?" in asking("backfill", "up", *DATES).err


def test_a_date_in_part_means_all_of_it(world: World, asking: Program) -> None:
    asking("backfill", "up", "--from", "2026-11-20", "--to", "2026-11-20", "--yes")

    dates = [date for date in world.runs("up") if date < "2026-11-22"]
    assert (dates[0], dates[-1], len(dates)) == ("2026-11-20T00:00", "2026-11-20T23:00", 24)


def test_options_may_come_first_and_start_may_be_said(world: World, asking: Program) -> None:
    assert asking("backfill", "--yes", *DATES, "up").code == 0
    assert asking("backfill", "--config", str(world.folder), "start", "up", *DATES, "--yes").code == 0
    assert len(asking("backfill", "list", "--json").json["backfills"]) == 2
    assert "start" in asking("backfill", "--help").out


def test_a_flow_may_be_called_as_a_verb(world: World, asking: Program) -> None:
    write(asking, "pause", HOURLY)
    world.daemon.reload()

    assert asking("backfill", "start", "pause", *DATES, "--yes").code == 0
    assert world.state("pause", "2026-11-21T01:00") is not State.ABSENT


def test_an_unknown_flow_and_an_unknown_backfill_are_not_found(asking: Program) -> None:
    assert asking("backfill", "upp", *DATES, "--yes").code == 4
    for verb in ("show", "pause", "resume", "cancel"):
        said = asking("backfill", verb, "7")
        assert (said.code, "no backfill 7" in said.err) == (4, True)


def test_without_a_daemon_nothing_is_asked_for(world: World, asking: Program) -> None:
    world.daemon.lead.release()

    assert asking("backfill", "up", *DATES, "--yes").code == 3


def test_how_far_it_is(world: World, asking: Program) -> None:
    asking("backfill", "up", *DATES, "--downstream", "--max-active", "2", "--yes")
    world.finish("up", "2026-11-22T10:00")
    world.finish("up", "2026-11-21T01:00")
    world.end("up", "2026-11-21T02:00", 1)
    world.tick()

    shown = asking("backfill", "show", "1", "--json").json

    assert {key: shown[key] for key in ("backfill", "flow", "state", "planned", "total", "max_active")} == {
        "backfill": 1,
        "flow": "up",
        "state": "running",
        "planned": True,
        "total": 6,
        "max_active": 2,
    }
    assert shown["downstream"] is True
    assert [one["flow"] for one in shown["flows"]] == ["down", "up"]
    assert shown["flows"][1]["runs"] == {"running": 1, "success": 1, "failed": 1}
    assert "2 of 6 done, 1 failed, " in asking("backfill", "list").out
    assert "backfill 1 of up" in asking("backfill", "show", "1").out


def test_none_at_all(asking: Program) -> None:
    said = asking("backfill", "list")

    assert (said.out, said.err, asking("backfill", "list", "--json").json) == ("", "no backfills\n", {"backfills": []})


def test_it_is_paused_resumed_and_cancelled(asking: Program) -> None:
    asking("backfill", "up", *DATES, "--yes")
    for verb, word in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        assert asking("backfill", verb, "1").code == 0
        assert asking("backfill", "show", "1", "--json").json["state"] == word


def test_why_says_that_a_paused_backfill_holds_its_run(world: World, asking: Program) -> None:
    asking("backfill", "up", *DATES, "--yes")
    asking("backfill", "pause", "1")

    said = asking("why", "up", "2026-11-21T03:00Z")

    assert said.lines[-1] == "Backfill 1 is paused: it starts after `sensord backfill resume 1`."
