"""What a run goes on without: which upstream runs its sensors passed over, and by which policy."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sensord.core.cron import parse_cron
from sensord.core.duration import parse_duration
from sensord.core.flow import Command, Flow, Policy, Sensor
from sensord.core.mapping import Mapping
from sensord.core.passed_over import MOST, Passed, PassedRun, find_passed, may_proceed, read_passed, write_passed
from sensord.core.run import State
from sensord.core.schedule import Schedule

ZONE = ZoneInfo("UTC")
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
OK, BAD, GONE, LATE, NONE = State.SUCCESS, State.FAILED, State.SKIPPED, State.RUNNING, State.ABSENT
PROCEED = Policy.PROCEED
EITHER: dict[str, Any] = {"on_failure": PROCEED, "on_skipped": PROCEED}


def flow(**policies: Any) -> Flow:
    sensor = Sensor(0, "up", Mapping(), **policies)
    return Flow("down", Schedule(parse_cron("0 * * * *", ZONE), ZONE), Command(argv=("x",)), (sensor,))


def hours(*states: State) -> list[tuple[datetime, State]]:
    return [(NOON + timedelta(hours=hour), state) for hour, state in enumerate(states)]


def found(one: Flow, states: Sequence[State], *, late: bool = False, **how: Any) -> list[tuple[str | None, str]]:
    """(state, cause) of each upstream run that is passed over."""
    passed = find_passed(one, {0: hours(*states)}, {0} if late else (), how.pop("missing", ()), **how)
    return [(run.state.label, run.cause.value) for entry in passed for run in entry.runs]


@pytest.mark.parametrize(
    ("policies", "states", "passed"),
    [
        ({}, [OK, OK], []),
        (EITHER, [OK, OK], []),
        (EITHER, [OK, BAD, GONE], [("failed", "on_failure"), ("skipped", "on_skipped")]),
        ({"on_failure": PROCEED}, [State.CANCELLED], [("cancelled", "on_failure")]),
        (EITHER | {"accept": frozenset({OK, BAD})}, [BAD, GONE], [("skipped", "on_skipped")]),
        (EITHER | {"require": "any"}, [BAD, OK, LATE], []),
        (EITHER | {"require": "any"}, [BAD, LATE], [("failed", "on_failure")]),
        (EITHER | {"require": 2}, [BAD, OK, GONE], [("failed", "on_failure"), ("skipped", "on_skipped")]),
        (EITHER, [], []),
    ],
)
def test_what_counts_though_it_is_not_accepted_is_passed_over(
    policies: dict[str, Any], states: list[State], passed: list[tuple[str, str]]
) -> None:
    assert found(flow(**policies), states) == passed


@pytest.mark.parametrize(
    ("policies", "states", "passed"),
    [
        ({}, [OK, LATE, NONE, BAD], [("running", "on_timeout"), ("absent", "on_timeout"), ("failed", "on_timeout")]),
        ({"on_failure": PROCEED}, [BAD, LATE], [("failed", "on_failure"), ("running", "on_timeout")]),
        ({"require": 2}, [OK, LATE, LATE], [("running", "on_timeout"), ("running", "on_timeout")]),
        ({"require": "any"}, [OK, LATE], []),
        ({}, [OK, OK], []),
    ],
)
def test_at_a_deadline_all_is_passed_over_that_is_not_there_when_the_run_is_released(
    policies: dict[str, Any], states: list[State], passed: list[tuple[str, str]]
) -> None:
    assert found(flow(**policies), states, late=True) == passed


def test_an_operator_passes_over_whatever_is_missing() -> None:
    assert found(flow(), [OK, BAD, NONE], by_operator=True) == [("failed", "by_operator"), ("absent", "by_operator")]
    assert found(flow(), [OK], by_operator=True) == []


@pytest.mark.parametrize(
    ("policies", "how", "cause"),
    [
        ({"on_missing": PROCEED}, {}, "on_missing"),
        ({"on_missing": Policy.WAIT}, {"late": True}, "on_timeout"),
        ({"on_missing": Policy.WAIT}, {"by_operator": True}, "by_operator"),
    ],
)
def test_where_nothing_matched_that_is_said(policies: dict[str, Any], how: dict[str, Any], cause: str) -> None:
    assert found(flow(**policies), [], missing={0}, **how) == [("absent", cause)]


@pytest.mark.parametrize(
    ("policies", "may"),
    [
        ({}, False),
        ({"on_failure": PROCEED}, True),
        ({"on_skipped": PROCEED}, True),
        ({"on_missing": PROCEED}, True),
        ({"timeout": parse_duration("1h"), "on_timeout": PROCEED}, True),
        ({"timeout": parse_duration("1h")}, False),
    ],
)
def test_only_a_policy_to_proceed_passes_anything_over(policies: dict[str, Any], may: bool) -> None:
    assert may_proceed(flow(**policies)) is may


def test_it_is_written_as_json_and_read_again() -> None:
    sensor = flow().sensors[0]
    (passed,) = find_passed(flow(**EITHER), {0: hours(OK, BAD)}, (), ())
    assert passed.first_at == NOON + timedelta(hours=1)
    missing = Passed(sensor, (PassedRun(None, NONE, passed.runs[0].cause),), None, instead=(NOON, OK))
    assert read_passed(write_passed([passed, missing])) == [
        {
            "sensor": 0,
            "upstream": "up",
            "passed_over": [{"logical_date": "2026-11-22T13:00:00Z", "state": "failed", "cause": "on_failure"}],
            "instead": None,
        },
        {
            "sensor": 0,
            "upstream": "up",
            "passed_over": [{"logical_date": None, "state": "missing", "cause": "on_failure"}],
            "instead": {"logical_date": "2026-11-22T12:00:00Z", "state": "success"},
        },
    ]
    assert read_passed(None) == []


def test_of_very_many_the_newest_are_kept_and_the_others_counted() -> None:
    (passed,) = find_passed(flow(**EITHER), {0: hours(*[BAD] * (MOST + 5))}, (), ())
    (entry,) = read_passed(write_passed([passed]))
    assert len(entry["passed_over"]) == MOST
    assert entry["passed_over_omitted"] == 5
    assert passed.first_at == NOON
