"""docs/concepts.md and docs/glossary.md say what the program does: states, events, reasons, verdicts, words."""

import re
from itertools import product

import pytest

from sensord.core.command import INHERITED
from sensord.core.flow import Policy, Sensor
from sensord.core.mapping import Mapping
from sensord.core.run import FINAL, TRANSITIONS, Event, Kind, Reason, State, may
from sensord.core.sensor import Verdict, judge, masks
from sensord.daemon.outcomes import SKIPPED_EXIT_CODE
from tests.docs.examples import DOCS

CONCEPTS = (DOCS / "concepts.md").read_text(encoding="utf-8")
GLOSSARY = (DOCS / "glossary.md").read_text(encoding="utf-8")
STATES = {state.label: state for state in State if state is not State.ABSENT}
WORDS = [
    "flow",
    "tick",
    "logical date",
    "data interval",
    "run",
    "attempt",
    "kind",
    "sensor",
    "upstream",
    "mapping",
    "policy",
    "verdict",
    "release",
    "stale",
    "dispatch",
    "executor",
    "queue",
    "worker",
    "catchup",
    "backfill",
    "missed",
    "paused",
    "removed",
    "retired",
    "at rest",
    "state",
    "reason",
    "outcome",
    "edge",
    "daemon",
    "station",
    "plan",
    "settle",
    "slot",
]


def table(first_column: str) -> list[list[str]]:
    """The rows of the table with this first heading, cells without code marks."""
    lines = CONCEPTS.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {first_column} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().replace("`", "") for cell in line.strip("|").split("|")])
    return rows


def picture() -> str:
    """The drawing of the states."""
    return CONCEPTS.split("## The states of a run")[1].split("```")[1]


def test_the_table_of_events_is_the_state_machine() -> None:
    def states(cell: str) -> frozenset[State]:
        return frozenset(STATES[label] for label in cell.split(", "))

    told = {Event(event): (states(sources), states(targets)) for event, sources, targets, _ in table("event")}
    assert told == TRANSITIONS


def test_the_drawing_shows_every_state_and_every_event() -> None:
    words = set(re.findall(r"[a-z]+", picture()))
    assert words >= set(STATES) | {event.value for event in Event}
    assert words - set(STATES) - {event.value for event in Event} == {"text", "any", "state", "of", "the", "four", "v"}


def test_the_arrows_of_the_drawing_are_allowed() -> None:
    """An arrow between two states on one line, `--event-->`; those that run around corners are the table's."""
    text = picture()
    arrows = re.findall(r"(\w+) --(\w+)--> (?=(\w+))", text)
    assert [event for _, event, _ in arrows] == ["release", "dispatch", "begin"]
    assert all(may(Event(event), STATES[old], STATES[new]) for old, event, new in arrows)
    ends = re.findall(r"--+(succeed|fail|skip)--+> (\w+)", text)
    assert len(ends) == 3
    for (event, new), old in product(ends, (State.STARTING, State.RUNNING)):
        assert may(Event(event), old, STATES[new])


def test_the_table_of_reasons_is_complete() -> None:
    assert [reason for reason, _ in table("reason")] == [reason.value for reason in Reason]


def test_the_table_of_verdicts_is_complete() -> None:
    assert [verdict for verdict, _ in table("verdict")] == [verdict.value for verdict in Verdict]


def test_the_policies_defaults_are_those_of_a_sensor() -> None:
    sensor = Sensor(0, "upstream", Mapping())
    defaults = {"on_failure": sensor.on_failure, "on_skipped": sensor.on_skipped, "on_missing": sensor.on_missing}
    assert {name: Policy(value.strip('"')) for name, _, value, _ in table("policy")} == defaults
    assert f'require` says how many of them it needs: `"{sensor.require}"` (default)' in CONCEPTS
    assert [state.label for state in sensor.accept] == ["success"]
    assert '`["success"]` by default' in CONCEPTS


@pytest.mark.parametrize(
    ("on_failure", "verdict"),
    [("wait", "blocked"), ("skip", "impossible"), ("fail", "impossible"), ("proceed", "satisfied")],
)
def test_the_example_of_a_failed_upstream_ends_as_drawn(on_failure: str, verdict: str) -> None:
    """A run with one upstream run, which has failed: blocked waits, impossible is ended by the policy."""
    sensor = Sensor(0, "B", Mapping(), on_failure=Policy(on_failure))

    assert judge(1, masks(sensor), {State.FAILED: 1}) is Verdict(verdict)

    row = next(line for line in CONCEPTS.splitlines() if line.startswith(f'"{on_failure}"'))
    shown = {"wait": "blocked", "skip": "skipped", "fail": "failed", "proceed": "runs"}
    assert row.split()[3] == shown[on_failure]


def test_the_environment_of_a_command_is_told() -> None:
    assert f"It sees {', '.join(INHERITED)}, what `pass_env` names, `[run.env]`" in CONCEPTS
    assert f"0 is `success`, {SKIPPED_EXIT_CODE} is `skipped`" in CONCEPTS


@pytest.mark.parametrize("word", WORDS)
def test_a_word_is_defined_once(word: str) -> None:
    assert len(re.findall(rf"^- \*\*{word}\*\*: ", GLOSSARY, re.MULTILINE)) == 1


def test_the_glossary_defines_no_other_words() -> None:
    defined = re.findall(r"^- \*\*(.+?)\*\*: ", GLOSSARY, re.MULTILINE)
    assert sorted(defined) == sorted(WORDS)


def test_the_glossary_lists_states_kinds_policies_and_verdicts() -> None:
    entries = dict(re.findall(r"^- \*\*(.+?)\*\*: (.+?)(?=\n- \*\*|\n\n|\Z)", GLOSSARY, re.MULTILINE | re.DOTALL))
    assert re.findall(r"`(\w+)`", entries["state"]) == list(STATES)
    assert list(STATES)[-4:] == [state.label for state in sorted(FINAL)]
    assert set(re.findall(r"`(\w+)`", entries["kind"])) == {kind.label for kind in Kind}
    assert set(re.findall(r"`(\w+)`", entries["policy"])) == {policy.value for policy in Policy}
    assert set(re.findall(r"`(\w+)`", entries["verdict"])) == {verdict.value for verdict in Verdict}
