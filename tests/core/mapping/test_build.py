"""Reading the mapping keys of a sensor: what each may be, which go together, and all problems at once."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sensord.core.duration import parse_duration
from sensord.core.mapping import Closed, Mapping, MappingFunction, Match, Unit, WeekStart, build_mapping, read_require
from sensord.errors import ConfigError, InvalidValue, Problem
from tests.core.mapping.timelines import at

AMS = ZoneInfo("Europe/Amsterdam")


def problems(**keys: object) -> list[Problem]:
    with pytest.raises(ConfigError) as caught:
        build_mapping(keys, zone=AMS)
    return caught.value.problems


def problem(**keys: object) -> Problem:
    found = problems(**keys)
    assert len(found) == 1, found
    return found[0]


class TestAccepted:
    def test_nothing_at_all_is_latest(self) -> None:
        assert build_mapping({}) == Mapping(Match.LATEST)
        assert build_mapping({}).plain

    def test_every_key_finds_its_field(self) -> None:
        stepped = build_mapping(
            {
                "match": "latest",
                "align": "week",
                "week_start": "sunday",
                "offset": "-6d1s",
                "back": 2,
                "count": 3,
                "strict": True,
            }
        )
        assert stepped == Mapping(
            Match.LATEST,
            align=Unit.WEEK,
            offset=parse_duration("-6d1s"),
            back=2,
            count=3,
            strict=True,
            week_start=WeekStart.SUNDAY,
        )
        assert (stepped.steps, stepped.plain, stepped.label) == (-2, False, "latest")
        bounded = build_mapping({"match": "interval", "within": "7d", "closed": "left", "align": "upstream"})
        assert bounded == Mapping(Match.INTERVAL, align="upstream", within=parse_duration("7d"), closed=Closed.LEFT)

    @pytest.mark.parametrize(
        "keys",
        [
            {"match": "same", "align": "day", "offset": "1h"},
            {"ahead": 1, "count": 2},
            {"match": "next", "strict": True, "count": 2},
            {"match": "interval", "back": 1, "count": 7, "closed": "both"},
            {"match": "interval", "since": "week", "week_start": "sunday", "closed": "left", "offset": "1d"},
            {"match": "overlap", "since": "month", "align": "day"},
            {"match": "overlap", "ahead": 0, "count": 1},
            {"match": "interval", "within": "1d12h"},
        ],
        ids=str,
    )
    def test_keys_that_go_together(self, keys: dict[str, object]) -> None:
        assert build_mapping(keys).match == keys.get("match", "latest")

    @pytest.mark.parametrize(
        ("since", "expected"),
        [
            ("month", Unit.MONTH),
            ("2025-06-01", at("2025-05-31 22:00")),
            ("2025-06-01 10:00", at("2025-06-01 08:00")),
            ("2025-10-26T02:30", at("2025-10-26 00:30")),
            ("2025-06-01T10:00:00z", at("2025-06-01 10:00")),
            ("2025-06-01T10:00:30+05:30", at("2025-06-01 04:30:30")),
            (date(2025, 6, 1), at("2025-05-31 22:00")),
            (datetime(2025, 6, 1, 10), at("2025-06-01 08:00")),
            (at("2025-06-01 10:00"), at("2025-06-01 10:00")),
        ],
        ids=str,
    )
    def test_since_is_a_period_or_an_instant_in_the_flows_zone(self, since: object, expected: object) -> None:
        built = build_mapping({"match": "interval", "since": since}, zone=AMS).since
        assert built == expected
        if isinstance(built, datetime):
            assert built.utcoffset() == timedelta()


class TestRefusedValues:
    @pytest.mark.parametrize(
        ("key", "value", "message"),
        [
            ("match", "equal", "expected one of same, latest, next, interval, overlap, python:module:function"),
            ("match", 1, "expected one of same, latest"),
            ("match", "python", 'expected "python:module:function", got "python"'),
            ("match", "python:calendars", 'expected "python:module:function"'),
            ("match", "python:a.b:c.d", 'expected "python:module:function"'),
            ("align", "minute", "expected one of hour, day, week, month, quarter, year, upstream"),
            ("align", ["day"], "expected one of hour, day"),
            ("offset", 5, "expected a duration"),
            ("offset", True, "expected a duration"),
            ("offset", "PT1H", "expected a duration"),
            ("back", -1, "expected a whole number from 0 to 10000, got -1"),
            ("back", True, "expected a whole number"),
            ("back", "1", "expected a whole number"),
            ("ahead", 10_001, "expected a whole number from 0 to 10000"),
            ("count", 0, "expected a whole number from 1 to 10000, got 0"),
            ("count", 1.0, "expected a whole number"),
            ("strict", 1, "expected true or false, got 1"),
        ],
    )
    def test_say_what_was_expected_and_got(self, key: str, value: object, message: str) -> None:
        found = problem(**{key: value})
        assert found.key == key
        assert found.message.startswith(message)

    @pytest.mark.parametrize(
        ("key", "value", "message"),
        [
            ("within", "-1d", "expected a length above zero"),
            ("within", "0d", "expected a length above zero"),
            ("within", "day", "expected a duration"),
            ("since", "upstream", "expected one of hour, day"),
            ("since", "2025-02-30", "expected a date of the calendar"),
            ("since", "2025-W01-1", "expected one of hour, day"),
            ("since", 2025, "expected a period such as"),
            ("since", "0001-01-01T00:00:00+14:00", "expected an instant from year 1"),
            ("closed", "none", "expected one of right, left, both"),
        ],
    )
    def test_of_an_interval(self, key: str, value: object, message: str) -> None:
        found = problem(match="interval", **{key: value})
        assert found.key == key
        assert found.message.startswith(message)

    def test_give_a_hint(self) -> None:
        assert problem(match="lastest").hint == 'did you mean "latest"?'
        assert problem(back=-2).hint == "ahead = 2 goes the other way"
        assert problem(align="Day").hint == 'did you mean "day"?'
        assert problem(ofset="1d").hint == 'did you mean "offset"?'


class TestRefusedCombinations:
    @pytest.mark.parametrize(
        ("match", "wrong"),
        [
            ("same", {"strict": True}),
            ("same", {"back": 1}),
            ("same", {"ahead": 1}),
            ("same", {"count": 2}),
            ("same", {"within": "1d"}),
            ("same", {"since": "month"}),
            ("same", {"closed": "left"}),
            ("latest", {"within": "1d"}),
            ("latest", {"since": "month"}),
            ("latest", {"closed": "right"}),
            ("next", {"back": 1}),
            ("next", {"ahead": 1}),
            ("next", {"closed": "both"}),
            ("interval", {"strict": False}),
            ("overlap", {"strict": True}),
            ("overlap", {"closed": "right"}),
        ],
        ids=str,
    )
    def test_keys_of_other_kinds_even_at_their_defaults(self, match: str, wrong: dict[str, object]) -> None:
        found = problem(match=match, **wrong)
        (key,) = wrong
        assert found.key == key
        assert found.message.startswith(f"expected {key} only with match ")
        assert found.message.endswith(f'got "{match}"')
        assert found.hint

    @pytest.mark.parametrize("match", ["latest", "interval", "overlap"])
    def test_back_and_ahead(self, match: str) -> None:
        assert problem(match=match, back=1, ahead=1).message == "expected back or ahead, got both"

    @pytest.mark.parametrize("period", [{"within": "1d"}, {"since": "day"}], ids=str)
    @pytest.mark.parametrize("other", [{"back": 1}, {"ahead": 1}, {"count": 2}], ids=str)
    def test_a_period_stands_alone(self, period: dict[str, object], other: dict[str, object]) -> None:
        found = problem(match="interval", **period, **other)
        assert found.message == f"expected {next(iter(period))} alone, got it with {next(iter(other))}"

    def test_two_periods(self) -> None:
        assert problem(match="overlap", within="1d", since="day").message == "expected within alone, got it with since"

    @pytest.mark.parametrize("keys", [{}, {"align": "day"}, {"match": "interval", "since": "month"}], ids=str)
    def test_the_start_of_a_week_without_a_week(self, keys: dict[str, object]) -> None:
        assert problem(week_start="sunday", **keys).key == "week_start"

    def test_all_are_told_at_once(self) -> None:
        found = problems(match="same", back=-1, ahead="x", wihtin="1d", closed="lfet")
        assert [p.key for p in found] == ["wihtin", "back", "ahead", "closed", "back", "ahead", "closed", "ahead"]

    def test_an_unreadable_kind_hides_no_other_problem(self) -> None:
        assert [p.key for p in problems(match="smae", offset=1, back=1, ahead=1)] == ["match", "offset", "ahead"]


class TestRequire:
    @pytest.mark.parametrize("value", ["all", "any", 1, 24])
    def test_accepts(self, value: object) -> None:
        assert read_require(value) == value

    @pytest.mark.parametrize("value", ["most", 0, -1, True, 1.0, None, [1]])
    def test_refuses(self, value: object) -> None:
        with pytest.raises(InvalidValue, match='expected "all", "any" or a number from 1, got'):
            read_require(value)


class TestFunctions:
    def test_are_loaded_by_the_caller(self) -> None:
        function = MappingFunction("calendars:business", lambda date, _: [date])
        asked: list[str] = []

        def load(name: str) -> MappingFunction:
            asked.append(name)
            return function

        built = build_mapping({"match": "python:calendars:business", "align": "day"}, load=load)

        assert asked == ["calendars:business"]
        assert built == Mapping(Match.PYTHON, align=Unit.DAY, function=function)
        assert built.label == "python:calendars:business"

    def test_are_refused_with_the_loaders_reason(self) -> None:
        def load(name: str) -> MappingFunction:
            raise InvalidValue(f"expected another, got {name}", hint="ask")

        with pytest.raises(ConfigError) as caught:
            build_mapping({"match": "python:os:system", "back": 1}, load=load)
        assert caught.value.problems == [Problem("expected another, got os:system", "ask", key="match")]

    def test_are_refused_where_nobody_loads_them(self) -> None:
        assert problem(match="python:os:system").message.startswith("expected a mapping without code")

    def test_take_no_steps(self) -> None:
        function = MappingFunction("calendars:business", lambda date, _: [date])
        with pytest.raises(ConfigError) as caught:
            build_mapping({"match": "python:calendars:business", "back": 1}, load=lambda _: function)
        assert [p.key for p in caught.value.problems] == ["back"]
