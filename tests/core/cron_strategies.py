"""Cron expressions, zones and instants for properties: mostly about changes of the clock, where errors live."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

ZONE_NAMES = (
    "Europe/Amsterdam",
    "America/New_York",
    "America/Santiago",  # changes at midnight
    "Australia/Lord_Howe",  # by half an hour
    "America/St_Johns",
    "Asia/Kolkata",
    "Africa/Casablanca",  # back and forth around Ramadan
    "UTC",
)
MINUTE = timedelta(minutes=1)
BEGINNING, END_OF_TIME = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

_YEARS = range(1995, 2031)


def find_changes(zone: ZoneInfo) -> list[datetime]:
    """Each hour of UTC within which the zone's offset changes."""
    changes = []
    for year in _YEARS:
        day = datetime(year, 1, 1, tzinfo=UTC)
        while day.year == year:
            if day.astimezone(zone).utcoffset() != (day + timedelta(days=1)).astimezone(zone).utcoffset():
                hours = (day + timedelta(hours=n) for n in range(24))
                changes += [
                    hour
                    for hour in hours
                    if hour.astimezone(zone).utcoffset() != (hour + timedelta(hours=1)).astimezone(zone).utcoffset()
                ]
            day += timedelta(days=1)
    return changes


ZONES = tuple(ZoneInfo(name) for name in ZONE_NAMES)
CHANGES = {zone.key: find_changes(zone) for zone in ZONES}

zones = st.sampled_from(ZONES)


@st.composite
def instants(draw: st.DrawFn, zone: ZoneInfo) -> datetime:
    """A whole minute: half the time within two days of a change of the zone's offset."""
    any_time = st.integers(0, 35 * 525_960).map(lambda minutes: datetime(1995, 1, 1, tzinfo=UTC) + minutes * MINUTE)
    if not CHANGES[zone.key]:
        return draw(any_time)
    near = st.builds(
        lambda change, n: change + n * MINUTE, st.sampled_from(CHANGES[zone.key]), st.integers(-2880, 2880)
    )
    return draw(st.one_of(near, any_time))


def _item(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    step = st.integers(1, high - low + 1)
    span = st.tuples(number, number).map(sorted)
    return st.one_of(
        number.map(str),
        span.map(lambda s: f"{s[0]}-{s[1]}"),
        st.tuples(span, step).map(lambda s: f"{s[0][0]}-{s[0][1]}/{s[1]}"),
        st.tuples(number, step).map(lambda s: f"{s[0]}/{s[1]}"),
    )


def _field(low: int, high: int, *special: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """A `*`, a `*/step`, or a list, which may also begin with either."""
    star = st.one_of(st.just("*"), st.integers(1, high - low + 1).map(lambda step: f"*/{step}"))
    item = st.one_of(_item(low, high), *special)
    return st.one_of(
        star, star, item, st.lists(st.one_of(item, item, item, star), min_size=2, max_size=3).map(",".join)
    )


_NAMES = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_weekday = st.one_of(st.integers(0, 7).map(str), st.sampled_from(_NAMES))
_nth = st.tuples(_weekday, st.integers(1, 5)).map(lambda pair: f"{pair[0]}#{pair[1]}")
_last = _weekday.map(lambda day: f"{day}L")
_to_sunday = st.sampled_from(_NAMES[1:]).map(lambda day: f"{day}-SUN")

minutes = _field(0, 59)
hours = _field(0, 23)
_many_days = st.sets(st.integers(1, 31), min_size=28).map(lambda numbers: ",".join(["L", *map(str, numbers)]))
days = st.one_of(st.just("*"), st.just("*"), _field(1, 31, st.just("L")), _many_days)
months = st.one_of(st.just("*"), st.just("*"), st.just("*"), _field(1, 12, st.sampled_from(("MAR", "mar-nov", "OCT"))))
weekdays = st.one_of(st.just("*"), st.just("*"), _field(0, 7, _nth, _last, _to_sunday, st.sampled_from(_NAMES))).map(
    lambda weekday: weekday.replace("/8", "/7")
)  # a step goes up to 7, the number of values


expressions = st.tuples(minutes, hours, days, months, weekdays).map(" ".join)
with_seconds = st.tuples(minutes, hours, days, months, weekdays, _field(0, 59)).map(" ".join)
