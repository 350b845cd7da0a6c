"""The filters of templates, one by one, and that none of them ever fails."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensord.core.template_filters import FILTERS, Kind, Moment, Value, make_filter
from sensord.errors import InvalidValue

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
AT = datetime(2026, 3, 29, 22, 5, 9, tzinfo=UTC)  # 00:05:09 on Monday 30 March in Amsterdam


def apply(value: Value, *chain: tuple[str, ...], zone: ZoneInfo = AMSTERDAM) -> str:
    for name, *arguments in chain:
        value = make_filter(name, tuple(arguments)).apply(value, zone)
    return str(value)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("%Y-%m-%d", "2026-03-29"),
        ("%y%m%d_%H%M%S", "260329_220509"),
        ("%F %T%z", "2026-03-29 22:05:09+0000"),
        ("day %j", "day 088"),
        ("%G-W%V-%u", "2026-W13-7"),
        ("%s", "1774821909"),
        ("100%%Y", "100%Y"),
        ("", ""),
    ],
)
def test_date_writes_in_utc(pattern: str, expected: str) -> None:
    assert apply(Moment(AT), ("date", pattern)) == expected


def test_in_zone_shows_the_wall_time_of_a_zone_or_of_the_flows() -> None:
    assert apply(Moment(AT), ("in_zone", "America/New_York")) == "2026-03-29T18:05:09-04:00"
    assert apply(Moment(AT), ("in_zone",)) == "2026-03-30T00:05:09+02:00"
    assert apply(Moment(AT), ("in_zone",), ("date", "%F %H:%M %z %s")) == "2026-03-30 00:05 +0200 1774821909"
    assert apply(Moment(AT), ("in_zone", "Asia/Tokyo"), ("in_zone", "UTC")) == "2026-03-29T22:05:09+00:00"


def test_plus_keeps_the_wall_time_of_the_flows_zone_and_is_shown_as_before() -> None:
    assert apply(Moment(AT), ("plus", "-1d")) == "2026-03-28T23:05:09Z"
    assert apply(Moment(AT), ("plus", "-24h")) == "2026-03-28T22:05:09Z"
    assert apply(Moment(AT), ("plus", "-1d"), ("in_zone",)) == "2026-03-29T00:05:09+01:00"
    assert apply(Moment(AT), ("plus", "-1d"), zone=ZoneInfo("UTC")) == "2026-03-28T22:05:09Z"


def test_plus_after_in_zone_keeps_the_wall_time_of_that_zone() -> None:
    assert apply(Moment(AT), ("in_zone", "UTC"), ("plus", "-1d")) == "2026-03-28T22:05:09+00:00"


def test_align_goes_to_the_beginning_of_the_period() -> None:
    assert apply(Moment(AT), ("align", "day")) == "2026-03-29T22:00:00Z"
    assert apply(Moment(AT), ("align", "month"), ("in_zone",)) == "2026-03-01T00:00:00+01:00"
    assert apply(Moment(AT), ("in_zone", "UTC"), ("align", "week")) == "2026-03-23T00:00:00+00:00"


def test_texts_are_changed_as_texts() -> None:
    assert apply("Mart/Sales", ("upper",)) == "MART/SALES"
    assert apply("Mart/Sales", ("lower",), ("replace", "/", "__")) == "mart__sales"
    assert apply("a/b", ("replace", "/", "")) == "ab"


@pytest.mark.parametrize(
    ("name", "arguments", "message", "hint"),
    [
        ("dat", (), "expected a filter, got dat", 'did you mean "date"?'),
        ("tojson", (), "expected a filter, got tojson", f"the filters are {', '.join(FILTERS)}"),
        ("date", (), "expected date with 1 arguments, got 0", 'as date("%Y-%m-%d")'),
        ("in_zone", ("a", "b"), "expected in_zone with 0 or 1 arguments, got 2", 'as in_zone("Europe/Amsterdam")'),
        ("upper", ("x",), "expected upper with 0 arguments, got 1", "as upper"),
        (
            "date",
            ("%Y %b",),
            "expected a date's pattern, got %b in it",
            "there are %Y %y %m %d %H %M %S %j %G %V %u %F %T %z %s %%",
        ),
        (
            "date",
            ("100%",),
            "expected a date's pattern, got % in it",
            "there are %Y %y %m %d %H %M %S %j %G %V %u %F %T %z %s %%",
        ),
        (
            "in_zone",
            ("Amsterdam",),
            "expected a time zone such as Europe/Amsterdam, got 'Amsterdam'",
            'did you mean "Europe/Amsterdam"?',
        ),
        (
            "plus",
            ("1",),
            'expected a duration such as "1h30m" or "2d", got \'1\'',
            'add a unit: "1s", "1m"',
        ),
        ("align", ("days",), "expected one of hour, day, week, month, quarter, year, got 'days'", None),
        ("replace", ("", "x"), "expected a text to replace, got an empty one", None),
    ],
)
def test_a_filter_that_would_fail_cannot_be_made(
    name: str, arguments: tuple[str, ...], message: str, hint: str | None
) -> None:
    with pytest.raises(InvalidValue) as caught:
        make_filter(name, arguments)

    assert (caught.value.message, caught.value.hint) == (message, hint)


@pytest.mark.parametrize("name", FILTERS)
def test_each_example_is_right(name: str) -> None:
    example = FILTERS[name].example
    _, _, inner = example.partition("(")
    arguments = tuple(one.strip('"') for one in inner.rstrip(")").split(", ")) if inner else ()

    assert str(make_filter(name, arguments)) == example


ZONES = st.sampled_from(["UTC", "Europe/Amsterdam", "Australia/Lord_Howe", "Pacific/Kiritimati"])
STEPS = st.one_of(
    st.tuples(st.just("in_zone"), ZONES),
    st.just(("in_zone",)),
    st.tuples(st.just("plus"), st.sampled_from(["1d", "-1y", "9000y", "-9000y", "-6d1s", "5h", "-80000000h", "1mo"])),
    st.tuples(st.just("align"), st.sampled_from(["hour", "day", "week", "month", "quarter", "year"])),
)
INSTANTS = st.datetimes(timezones=st.just(UTC))


@given(INSTANTS, st.lists(STEPS, max_size=4), ZONES)
def test_no_instant_and_no_chain_of_filters_fails(at: datetime, chain: list[tuple[str, ...]], zone: str) -> None:
    shown = apply(Moment(at), *chain, zone=ZoneInfo(zone))
    written = apply(Moment(at), *chain, ("date", "%Y%y%m%d%H%M%S%j%G%V%u%F%T%z%s%%"), zone=ZoneInfo(zone))

    assert int(shown.partition("-")[0]) == int(written[:4])
    assert written.endswith("%")


def test_filters_that_follow_one_another_fit() -> None:
    assert {name for name, spec in FILTERS.items() if spec.gives is Kind.INSTANT} == {"in_zone", "plus", "align"}
    assert {name for name, spec in FILTERS.items() if spec.takes is Kind.TEXT} == {"upper", "lower", "replace"}
