"""Any mapping over any two lists of ticks, in zones whose clocks change, against the definitions read literally."""

from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from sensord.core.duration import Duration
from sensord.core.mapping import Closed, Mapping, Match, Require, Unit, WeekStart, resolve
from sensord.core.mapping.anchor import floor
from tests.core.mapping.oracle import NoMatch, World, begin, expect, instant_of
from tests.core.mapping.timelines import timeline
from tests.support.cases import share

MINUTE = timedelta(minutes=1)
# Days around changes of clocks: of an hour, of half an hour, at midnight, of a whole day; and plain ones.
PLACES = {
    "Europe/Amsterdam": ["2025-03-30", "2025-10-26", "2024-02-29"],
    "America/New_York": ["2025-03-09", "2025-11-02"],
    "Australia/Lord_Howe": ["2025-04-06", "2025-10-05"],
    "America/Santiago": ["2025-09-07", "2025-04-06"],
    "Africa/Casablanca": ["2025-02-23", "2025-04-06"],
    "Pacific/Apia": ["2011-12-30", "2011-09-24"],
    "America/Sao_Paulo": ["2018-11-04", "2018-02-18"],
    "America/Havana": ["2025-03-09", "2025-11-02"],
    "Asia/Kolkata": ["2025-06-01"],
    "UTC": ["2025-01-01", "2024-12-30"],
}

zones = st.sampled_from([ZoneInfo(name) for name in PLACES])
middles = st.sampled_from([datetime.fromisoformat(f"{day}T00:00Z") for listed in PLACES.values() for day in listed])


def lengths(*, signed: bool) -> st.SearchStrategy[Duration]:
    small = st.integers(0, 3)
    clocks = st.integers(0, 40).map(lambda quarters: quarters * timedelta(minutes=15))
    made = st.builds(
        Duration,
        st.sampled_from([1, -1]) if signed else st.just(1),
        months=st.sampled_from([0, 0, 0, 1, 2]),
        weeks=st.sampled_from([0, 0, 1]),
        days=small,
        clock=clocks,
    )
    return made if signed else made.filter(lambda length: length.is_positive)


@st.composite
def mappings(draw: st.DrawFn) -> Mapping:
    match = draw(st.sampled_from([kind for kind in Match if kind is not Match.PYTHON]))
    stepped = match in (Match.LATEST, Match.INTERVAL, Match.OVERLAP)
    period = draw(st.sampled_from(["own", "within", "since"])) if match in (Match.INTERVAL, Match.OVERLAP) else "own"
    steps = draw(st.integers(-3, 3)) if stepped and period == "own" else 0
    single = match is Match.SAME or period != "own"
    aligns: st.SearchStrategy[Unit | Literal["upstream"] | None] = st.sampled_from([None, "upstream", *Unit])
    fixed = middles.map(lambda day: day + timedelta(hours=1))
    return Mapping(
        match,
        align=draw(aligns),
        offset=draw(st.none() | lengths(signed=True)),
        back=max(0, -steps),
        ahead=max(0, steps),
        count=1 if single else draw(st.integers(1, 4)),
        strict=match in (Match.LATEST, Match.NEXT) and draw(st.booleans()),
        within=draw(lengths(signed=False)) if period == "within" else None,
        since=draw(st.sampled_from(Unit) | fixed) if period == "since" else None,
        closed=draw(st.sampled_from(Closed)) if match is Match.INTERVAL else Closed.RIGHT,
        week_start=draw(st.sampled_from(WeekStart)),
    )


@st.composite
def rules(draw: st.DrawFn, middle: datetime) -> list[datetime]:
    """A few months of ticks around the middle: daily at a wall time, evenly spaced, or scattered."""
    kind = draw(st.sampled_from(["daily", "even", "scattered"]))
    if kind == "daily":
        zone, quarter = draw(zones), draw(st.integers(0, 95))
        midnight = middle.replace(tzinfo=None) + quarter * timedelta(minutes=15)
        return sorted({instant_of(midnight + timedelta(days=day), zone) for day in range(-40, 40)})
    if kind == "even":
        step = timedelta(minutes=draw(st.sampled_from([180, 420, 1440, 10080, 999])))
        first = middle - 40 * timedelta(days=1) + draw(st.integers(0, 48)) * timedelta(minutes=30)
        return [first + n * step for n in range(timedelta(days=80) // step)]
    halves = draw(st.sets(st.integers(-400, 400), min_size=1, max_size=60))
    return [middle + half * timedelta(minutes=30) for half in sorted(halves)]


@st.composite
def worlds(draw: st.DrawFn) -> tuple[World, datetime]:
    middle = draw(middles)
    ours, theirs = draw(rules(middle)), draw(rules(middle))
    bounds = st.none() | st.sampled_from(theirs) | st.just(middle)
    start, end = draw(bounds), draw(bounds)
    if start is not None and end is not None and end < start:
        start, end = end, start
    near = [tick for tick in ours if abs(tick - middle) < timedelta(days=4)]
    date = draw(st.sampled_from(near or ours) | st.integers(-96, 96).map(lambda n: middle + n * 30 * MINUTE))
    return World(ours, theirs, draw(zones), start, end), date


@given(worlds(), mappings())
def test_every_mapping_is_its_definition(case: tuple[World, datetime], mapping: Mapping) -> None:
    world, date = case
    downstream = timeline(world.downstream, world.zone)
    upstream = timeline(world.upstream, ZoneInfo("UTC"), world.start, world.end)
    try:
        expected = tuple(expect(mapping, date, world))
    except NoMatch:
        expected = ()

    resolution = resolve(mapping, "all", date, downstream, upstream)

    assert resolution.dates == expected
    assert resolution.need == len(expected)
    assert (resolution.problem is None) == bool(expected)


@given(worlds(), mappings())
def test_on_the_flow_itself_the_start_only_takes_away_and_never_blocks(
    case: tuple[World, datetime], mapping: Mapping
) -> None:
    world, date = case
    world = World(world.downstream, world.downstream, world.zone, None, world.end)
    start = world.downstream[len(world.downstream) // 2]
    whole = timeline(world.downstream, world.zone, start, world.end if world.end and world.end >= start else None)
    free = World(world.downstream, world.downstream, world.zone, None, whole.end)
    try:
        expected = expect(mapping, date, free)
    except NoMatch:
        expected = []

    resolution = resolve(mapping, "all", date, whole, whole, own=True)

    assert resolution.dates == tuple(tick for tick in expected if tick >= start)
    assert resolution.need == len(resolution.dates)
    assert (resolution.problem is None) == bool(expected)


@given(worlds(), st.sampled_from(["all", "any", 1, 2, 5]), mappings())
def test_need_is_within_what_is_mapped_unless_there_is_a_problem(
    case: tuple[World, datetime], require: Require, mapping: Mapping
) -> None:
    world, date = case
    downstream, upstream = timeline(world.downstream, world.zone), timeline(world.upstream, world.zone)

    resolution = resolve(mapping, require, date, downstream, upstream)

    if resolution.problem is None:
        assert 1 <= resolution.need <= len(resolution.dates)
    else:
        assert resolution.need == 0 or resolution.need > len(resolution.dates)


@given(middles, st.integers(-4 * 24 * 60, 4 * 24 * 60), zones, st.sampled_from(Unit), st.sampled_from(WeekStart))
@share(5)
def test_a_floor_is_the_start_of_its_period(
    middle: datetime, minutes: int, zone: ZoneInfo, unit: Unit, week_start: WeekStart
) -> None:
    instant = middle + minutes * MINUTE

    floored = floor(instant, unit, zone, week_start)

    assert floored == begin(unit, instant, zone, week_start)
    assert floored <= instant
    assert floored.tzinfo is UTC
    assert floor(floored, unit, zone, week_start) == floored
