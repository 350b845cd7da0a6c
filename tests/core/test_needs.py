"""What a run waits for: its sensors, mapped by the schedules in force, the flow's own past left out."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from sensord.core.cron import parse_cron
from sensord.core.duration import parse_duration
from sensord.core.flow import Command, Flow, Require, Sensor
from sensord.core.mapping import Mapping, Match
from sensord.core.needs import FAR, deadline, needs
from sensord.core.run import Reason
from sensord.core.schedule import Schedule

ZONE = ZoneInfo("UTC")
HOURLY, DAILY = Schedule(parse_cron("0 * * * *", ZONE), ZONE), Schedule(parse_cron("0 2 * * *", ZONE), ZONE)
TIMELINES = {"orders": HOURLY, "customers": DAILY, "mart": HOURLY}


def at(hour: int, day: int = 22) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def mart(*sensors: Sensor) -> Flow:
    return Flow("mart", HOURLY, Command(argv=("true",)), sensors)


def sensor(upstream: str, mapping: Mapping | None = None, require: Require = "all", index: int = 0) -> Sensor:
    return Sensor(index, upstream, mapping or Mapping(), require)


def test_each_sensor_is_mapped_by_its_upstreams_schedule() -> None:
    flow = mart(sensor("orders"), sensor("customers", index=1))

    found = needs(flow, at(10), TIMELINES, None)

    assert [(need.sensor.index, need.dates, need.need) for need in found] == [(0, (at(10),), 1), (1, (at(2),), 1)]


def test_a_flow_without_sensors_needs_nothing() -> None:
    assert needs(mart(), at(10), TIMELINES, None) == []


def test_an_upstream_that_is_not_known_is_a_problem_of_that_sensor() -> None:
    (need,) = needs(mart(sensor("godo")), at(10), TIMELINES, None)

    assert (need.problem, need.message) == (Reason.NO_MATCH, "expected a flow named 'godo', got none")


def test_a_mapping_that_finds_nothing_says_why() -> None:
    (need,) = needs(mart(sensor("customers", Mapping(Match.SAME))), at(10), TIMELINES, None)

    assert need.problem is Reason.NO_MATCH
    assert need.message


def test_a_flow_on_itself_takes_what_lies_before_its_first_run_for_done() -> None:
    flow = mart(sensor("mart", Mapping(Match.LATEST, back=1, count=2)))

    first, second, third = (needs(flow, at(hour), TIMELINES, at(10))[0] for hour in (10, 11, 12))

    assert (first.dates, first.need, first.problem) == ((), 0, None)
    assert (second.dates, second.need) == ((at(10),), 1)
    assert (third.dates, third.need) == ((at(10), at(11)), 2)


def test_of_what_is_done_already_an_any_sensor_on_itself_has_enough() -> None:
    flow = mart(sensor("mart", Mapping(Match.LATEST, back=1, count=2), require="any"))

    (need,) = needs(flow, at(11), TIMELINES, at(10))

    assert (need.dates, need.need) == ((at(10),), 0)


def test_the_first_run_of_a_flow_with_a_start_finds_nothing_before_it_and_is_free() -> None:
    timelines = {"mart": Schedule(parse_cron("0 * * * *", ZONE), ZONE, start=at(10))}

    (need,) = needs(mart(sensor("mart", Mapping(back=1))), at(10), timelines, at(10))

    assert (need.dates, need.need, need.problem) == ((), 0, None)


@pytest.mark.parametrize(
    ("timeout", "since", "due_at"),
    [
        ("2h", at(9), at(12)),  # from the logical date
        ("2h", at(11), at(13)),  # from when the run was made, or began to wait again
        ("1d", at(11), at(11, 23)),
        ("9000y", at(11), FAR),
    ],
)
def test_a_deadline_counts_from_the_logical_date_or_from_when_the_wait_began(
    timeout: str, since: datetime, due_at: datetime
) -> None:
    one = Sensor(0, "orders", Mapping(), timeout=parse_duration(timeout))

    assert deadline(mart(one), one, at(10), since) == due_at


def test_a_deadline_of_days_keeps_the_wall_time_of_the_flow() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    one = Sensor(0, "orders", Mapping(), timeout=parse_duration("1d"))
    flow = Flow("mart", Schedule(parse_cron("0 * * * *", berlin), berlin), Command(argv=("true",)), (one,))
    before = datetime(2026, 10, 24, 10, tzinfo=UTC)

    assert deadline(flow, one, before, before) == datetime(2026, 10, 25, 11, tzinfo=UTC)


def test_a_sensor_without_a_timeout_has_no_deadline() -> None:
    with pytest.raises(TypeError, match="expected a sensor with a timeout"):
        deadline(mart(), sensor("orders"), at(10), at(10))
