"""Mapping functions: what they are asked, what they may return, and that nothing they do is fatal."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from itertools import count, repeat

import pytest

from sensord.core.mapping import Context, Mapping, MappingFunction, Match, Resolution, TroubleKind, Unit, resolve
from tests.core.mapping.timelines import at, cron, days

AMS = "Europe/Amsterdam"
HOURLY = cron("0 * * * *", AMS)
DAILY = cron("0 2 * * *", start="2025-06-01 00:00", end="2025-06-30 00:00")
DATE = at("2025-06-03 09:00")


def ask(call: Callable[[datetime, Context], object], *, own: bool = False, align: Unit | None = None) -> Resolution:
    mapping = Mapping(Match.PYTHON, function=MappingFunction("calendars:f", call), align=align)
    return resolve(mapping, "all", DATE, HOURLY, DAILY, own=own)


def trouble(call: Callable[[datetime, Context], object]) -> tuple[str, str]:
    resolution = ask(call)
    assert resolution.problem is not None
    assert (resolution.dates, resolution.need) == ((), 0)
    return resolution.problem.kind.value, resolution.problem.message


class TestAsked:
    def test_for_the_logical_date(self) -> None:
        assert ask(lambda date, _: [date.replace(hour=2)]).dates == days("2025-06-03 02:00")

    def test_for_the_anchor_where_the_date_is_aligned(self) -> None:
        resolution = ask(lambda date, context: [context.upstream.prev(date)], align=Unit.DAY)
        assert resolution.dates == days("2025-06-02 02:00")

    def test_with_a_context(self) -> None:
        seen: list[Context] = []

        def look(_: datetime, context: Context) -> list[datetime | None]:
            seen.append(context)
            return [context.upstream.next(context.logical_date)]

        assert ask(look, align=Unit.DAY).dates == days("2025-06-04 02:00")
        assert (seen[0].logical_date, seen[0].previous_tick, seen[0].zone.key) == (DATE, at("2025-06-03 08:00"), AMS)


class TestReturned:
    def test_dates_are_made_utc_unique_and_ascending(self) -> None:
        tokyo = timezone(timedelta(hours=9))

        def scattered(_: datetime, __: Context) -> Iterator[datetime]:
            yield at("2025-06-03 02:00")
            yield at("2025-06-01 02:00").astimezone(tokyo)
            yield at("2025-06-03 02:00").astimezone(tokyo)

        resolution = ask(scattered)

        assert resolution == Resolution(days("2025-06-01 02:00", "2025-06-03 02:00"), 2)
        assert all(date.tzinfo is UTC for date in resolution.dates)

    def test_a_subclass_of_datetime_is_made_a_plain_one(self) -> None:
        class Stamp(datetime):
            pass

        (date,) = ask(lambda _, __: [Stamp(2025, 6, 3, 2, tzinfo=UTC)]).dates
        assert type(date) is datetime

    def test_dates_outside_the_upstreams_life_are_left_out(self) -> None:
        two = days("2025-05-31 02:00", "2025-06-01 02:00")
        assert ask(lambda _, __: two).dates == two[1:]
        assert trouble(lambda _, __: two[:1])[0] == "no_match"

    def test_for_the_flow_itself_dates_before_its_first_are_satisfied(self) -> None:
        two = days("2025-05-31 02:00", "2025-06-01 02:00")
        assert ask(lambda _, __: two, own=True) == Resolution(two[1:], 1)
        assert ask(lambda _, __: two[:1], own=True) == Resolution((), 0)

    def test_none_at_all_is_no_match(self) -> None:
        kind, message = trouble(lambda _, __: [])
        assert (kind, message) == ("no_match", f"calendars:f returned no date for 2025-06-03 11:00+02:00 {AMS}")

    @pytest.mark.parametrize(
        ("returned", "message"),
        [
            (None, "expected an iterable of datetimes, got NoneType"),
            (DATE, "expected an iterable of datetimes, got datetime"),
            ("2025-06-03", "expected an iterable of datetimes, got str"),
            ([DATE, "2025-06-03"], "expected aware datetimes, got str among them"),
            ([DATE.date()], "expected aware datetimes, got date among them"),
            ([DATE.replace(tzinfo=None)], "expected aware datetimes, got 2025-06-03 09:00:00"),
            ([datetime.max.replace(tzinfo=timezone(timedelta(hours=-9)))], "expected instants between the years"),
            ([DATE], "expected ticks of the upstream, got 2025-06-03 11:00+02:00 Europe/Amsterdam (2025-06-03 09:00"),
        ],
        ids=str,
    )
    def test_what_is_no_tick_is_a_mapping_error(self, returned: object, message: str) -> None:
        kind, text = trouble(lambda _, __: returned)
        assert kind == "mapping_error"
        assert text.startswith(f"calendars:f: {message}")

    def test_without_an_end_is_a_mapping_error(self) -> None:
        says = ("mapping_error", "calendars:f: expected at most 10,000 dates, got more")
        assert trouble(lambda date, _: (date - timedelta(days=n) for n in count())) == says
        assert trouble(lambda date, _: repeat(date)) == says


class TestRaised:
    @pytest.mark.parametrize(
        ("error", "message"),
        [
            (LookupError("no calendar for 2025"), "calendars:f raised LookupError: no calendar for 2025"),
            (ValueError(), "calendars:f raised ValueError"),
            (SystemExit(3), "calendars:f raised SystemExit: 3"),
        ],
    )
    def test_is_no_match_with_its_message(self, error: BaseException, message: str) -> None:
        def fail(_: datetime, __: Context) -> object:
            raise error

        assert trouble(fail) == (TroubleKind.NO_MATCH, message)

    def test_is_no_match_in_the_middle_of_a_generator_too(self) -> None:
        def fail(date: datetime, __: Context) -> Iterator[datetime]:
            yield date
            raise RuntimeError("half way")

        assert trouble(fail) == ("no_match", "calendars:f raised RuntimeError: half way")

    def test_an_error_that_cannot_even_be_told_is_told_by_its_name(self) -> None:
        class Mute(Exception):
            def __str__(self) -> str:
                raise RuntimeError

        def fail(_: datetime, __: Context) -> object:
            raise Mute

        assert trouble(fail) == ("no_match", "calendars:f raised Mute")

    def test_a_zone_that_fails_is_a_mapping_error(self) -> None:
        class Broken(tzinfo):
            def utcoffset(self, _: datetime | None) -> timedelta | None:
                raise KeyError("broken")

            def dst(self, _: datetime | None) -> timedelta | None:
                return None

            def tzname(self, _: datetime | None) -> str | None:
                return None

        kind, message = trouble(lambda date, _: [date.replace(tzinfo=Broken())])
        assert kind == "mapping_error"
        assert "KeyError" in message


def test_functions_are_equal_by_name() -> None:
    one, two = MappingFunction("m:f", lambda date, _: [date]), MappingFunction("m:f", lambda _, __: [])
    assert {Mapping(Match.PYTHON, function=one), Mapping(Match.PYTHON, function=two)} == {
        Mapping(Match.PYTHON, function=one)
    }
