"""Which dates a backfill fills: ticks, what they stand on, and what hangs on them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensord.core.backfill import INSTANT, Spread, downstream_of, order, ticks, widen
from sensord.core.cron import parse_cron
from sensord.core.duration import parse_duration
from sensord.core.flow import Command, Flow, Sensor
from sensord.core.mapping import Mapping, Match
from sensord.core.mapping.resolve import Trouble, map_dates
from sensord.core.mapping.spec import Unit
from sensord.core.schedule import Schedule

UTC_ZONE = ZoneInfo("UTC")
NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)


def day(number: int, hour: int = 0) -> datetime:
    return datetime(2026, 11, number, hour, tzinfo=UTC)


def schedule(cron: str, start: datetime | None = None, end: datetime | None = None) -> Schedule:
    return Schedule(parse_cron(cron, UTC_ZONE), UTC_ZONE, start, end)


def flow(name: str, cron: str, **sensors: Mapping) -> Flow:
    watched = tuple(Sensor(index, up, mapping) for index, (up, mapping) in enumerate(sensors.items()))
    return Flow(name, schedule(cron), Command(argv=("true",)), watched)


def spread(root: str, since: datetime, until: datetime, *flows: Flow, up: bool = False, down: bool = False) -> Spread:
    known = {one.name: one for one in flows}
    timelines = {one.name: one.schedule for one in flows}
    downs = downstream_of(root, known) if down else []
    return Spread(known, timelines, root, since, until, NOW, up, downs)


def everything(whole: Spread, most: int = 1000) -> dict[str, set[datetime]]:
    """All dates, by flow, batch by batch."""
    found: dict[str, set[datetime]] = {}
    for name, since, until in whole.legs():
        after: datetime | None = since - INSTANT
        while after is not None:
            batch = whole.batch(name, after, until, most)
            for one, dates in batch.dates.items():
                found.setdefault(one, set()).update(dates)
            after = batch.reached
    return found


HOURLY, DAILY = "0 * * * *", "0 2 * * *"
LATEST = Mapping()
OF_DAY = Mapping(Match.INTERVAL, align=Unit.DAY)


def test_ticks_come_before_a_start_and_not_past_an_end() -> None:
    timeline = schedule(DAILY, start=day(10), end=day(12, 2))

    assert list(ticks(timeline, day(8), day(20))) == [day(8, 2), day(9, 2), day(10, 2), day(11, 2), day(12, 2)]


def test_the_first_and_the_last_date_belong_to_it() -> None:
    whole = spread("a", day(1, 2), day(3, 2), flow("a", DAILY))

    assert everything(whole) == {"a": {day(1, 2), day(2, 2), day(3, 2)}}


def test_nothing_is_later_than_now() -> None:
    assert everything(spread("a", day(22, 9), day(23), flow("a", HOURLY))) == {"a": {day(22, 9), day(22, 10)}}


def test_a_batch_is_small_and_says_where_it_ended() -> None:
    whole = spread("a", day(1), day(2), flow("a", HOURLY))

    batch = whole.batch("a", day(1) - INSTANT, day(2), 3)

    assert (batch.dates, batch.reached) == ({"a": [day(1), day(1, 1), day(1, 2)]}, day(1, 2))
    assert whole.batch("a", day(2), day(2), 3).reached is None


def test_what_stands_above_comes_with_it_and_what_that_stands_on() -> None:
    flows = [flow("a", HOURLY), flow("b", HOURLY, a=LATEST), flow("c", DAILY, b=OF_DAY)]

    found = everything(spread("c", day(2, 2), day(2, 2), *flows, up=True))

    hours = {day(1, hour) for hour in range(1, 24)} | {day(2)}
    assert found == {"c": {day(2, 2)}, "b": hours, "a": hours}


def test_only_the_dates_that_are_needed_come_with_it() -> None:
    flows = [flow("a", DAILY), flow("weekly", "0 3 * * 1", a=LATEST)]

    assert everything(spread("weekly", day(1), day(15), *flows, up=True))["a"] == {day(2, 2), day(9, 2)}


def test_own_runs_before_are_not_followed_back() -> None:
    flows = [flow("a", DAILY, a=Mapping(back=1))]

    assert everything(spread("a", day(5), day(7), *flows, up=True)) == {"a": {day(5, 2), day(6, 2)}}


def test_a_circle_of_flows_comes_to_an_end() -> None:
    flows = [flow("a", DAILY, b=Mapping(back=1)), flow("b", DAILY, a=LATEST)]

    assert everything(spread("b", day(5), day(6), *flows, up=True, down=True))["b"] == {day(5, 2)}
    assert order("a", lambda name: {"a": ["b"], "b": ["a"]}[name]) == ["a", "b"]


def test_what_hangs_on_it_comes_after_what_it_waits_for() -> None:
    flows = [
        flow("a", HOURLY),
        flow("z", DAILY, a=OF_DAY),
        flow("b", DAILY, z=LATEST, a=LATEST),
        flow("other", DAILY),
    ]

    whole = spread("a", day(1, 1), day(2), *flows, down=True)

    assert [name for name, _, _ in whole.legs()] == ["a", "z", "b"]
    assert everything(whole)["z"] == {day(2, 2)}
    assert everything(whole)["b"] == {day(1, 2), day(2, 2)}


MAPPINGS = st.sampled_from(
    [
        LATEST,
        Mapping(Match.SAME),
        Mapping(back=3),
        Mapping(count=4),
        Mapping(strict=True),
        Mapping(Match.NEXT),
        Mapping(Match.NEXT, count=2, strict=True),
        Mapping(ahead=2),
        Mapping(Match.INTERVAL),
        OF_DAY,
        Mapping(Match.INTERVAL, back=2, count=2),
        Mapping(Match.INTERVAL, ahead=1),
        Mapping(Match.INTERVAL, within=parse_duration("3d")),
        Mapping(Match.INTERVAL, since=Unit.WEEK),
        Mapping(Match.INTERVAL, since=Unit.MONTH),
        Mapping(Match.INTERVAL, since=day(3)),
        Mapping(Match.OVERLAP),
        Mapping(align=Unit.WEEK, offset=parse_duration("-1d")),
        Mapping(offset=parse_duration("30h")),
        Mapping(Match.SAME, align=Unit.DAY, offset=parse_duration("2h")),
        Mapping(align="upstream"),
    ]
)
CRONS = st.sampled_from([HOURLY, DAILY, "0 */7 * * *", "30 3 * * 1", "0 0 1,15 * *", "15 4,16 * * *"])


@given(MAPPINGS, CRONS, CRONS, st.integers(1, 21), st.integers(0, 23), st.integers(0, 40))
def test_downstream_are_all_ticks_that_map_to_one_of_the_dates_and_no_others(
    mapping: Mapping, up: str, down: str, first: int, hour: int, hours: int
) -> None:
    since = day(first, hour)
    until = min(datetime.fromtimestamp(since.timestamp() + hours * 3600, UTC), NOW)
    flows = [flow("a", up), flow("b", down, a=mapping)]
    whole = spread("a", since, until, *flows, down=True)

    found = everything(whole, 7).get("b", set())

    filled = set(ticks(flows[0].schedule, since - INSTANT, until))
    expected = set()
    for tick in ticks(flows[1].schedule, datetime(2026, 8, 1, tzinfo=UTC), NOW):
        dates = map_dates(mapping, tick, flows[1].schedule, flows[0].schedule)
        if not isinstance(dates, Trouble) and filled & set(dates):
            expected.add(tick)
    assert found == expected


@given(MAPPINGS, CRONS, CRONS, st.integers(1, 200))
def test_in_whatever_batches_it_is_planned_the_dates_are_the_same(
    mapping: Mapping, up: str, down: str, most: int
) -> None:
    flows = [flow("a", up), flow("b", down, a=mapping), flow("c", DAILY, b=LATEST)]
    for root in ("a", "c"):
        whole = spread(root, day(5), day(9), *flows, up=root == "c", down=root == "a")
        assert everything(whole, most) == everything(whole, 100_000)


def test_beyond_the_calendar_a_window_ends_with_it() -> None:
    far = Mapping(offset=parse_duration("9000y"))
    timeline = schedule(DAILY)

    since, until = widen(far, day(1), day(2), timeline, timeline)

    assert (since.year, until.year) == (1, 9999)


@pytest.mark.parametrize("most", [1, 2, 500])
def test_a_batch_of_one_tick_takes_all_that_it_stands_on(most: int) -> None:
    flows = [flow("a", HOURLY), flow("b", DAILY, a=OF_DAY)]

    batch = spread("b", day(2), day(9), *flows, up=True).batch("b", day(2), day(9), most)

    assert batch.dates["b"][0] == day(2, 2)
    assert len(batch.dates["a"]) >= 24
