"""Whatever text is given for a schedule, a duration, a zone or a template: it is taken or refused, and nothing else.

`make fuzz` tries many more.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from typing import TypeVar
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensord.config.templates import parse_template
from sensord.core.cron import parse_cron
from sensord.core.duration import parse_duration
from sensord.core.every import parse_every
from sensord.core.zone import parse_zone
from sensord.errors import InvalidValue

T = TypeVar("T")
START = datetime(2026, 3, 28, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
ANY = st.text(st.characters(), max_size=40)
FIELD = st.lists(
    st.sampled_from(["*", "/", "-", ",", "#", "L", "W", "?", "H", "R", "MON", "JAN", "sun", *"0123456789", "59", "31"]),
    min_size=1,
    max_size=6,
).map("".join)
CRONS = st.one_of(
    ANY,
    st.lists(FIELD, min_size=4, max_size=7).map(" ".join),
    st.text("*/-,#L? 0123456789@abcdeghlmnrtuwy", max_size=30),
)
DURATIONS = st.one_of(
    ANY,
    st.text("0123456789wdhmsyo-+. PTM", max_size=16),
    st.lists(st.tuples(st.integers(0, 10**12), st.sampled_from(["y", "mo", "w", "d", "h", "m", "s", "x", ""]))).map(
        lambda parts: "".join(f"{number}{unit}" for number, unit in parts)
    ),
)
PIECES = ["{{", "}}", "{%", "%}", "{#", "#}", " flow ", "params.x", "|", "date(", ")", "'", '"', "\\", "\n", "+", "[0]"]
TEMPLATES = st.one_of(ANY, st.lists(st.sampled_from(PIECES) | ANY, max_size=8).map("".join))


def taken(parse: Callable[[], T]) -> T | None:
    """What was read; None where it was refused, in words that any log can hold, of a length that somebody reads."""
    try:
        return parse()
    except InvalidValue as error:
        refused = error
    assert "expected" in refused.message
    assert len(refused.message) < 500
    return None


@given(CRONS, st.booleans())
def test_a_cron_expression_is_refused_or_ticks(text: str, seconds: bool) -> None:
    rule = taken(lambda: parse_cron(text, BERLIN, seconds=seconds))
    if rule is None:
        return
    ticks = [START]
    for _ in range(5):
        tick = rule.next(ticks[-1])
        assert tick is not None
        ticks.append(tick)
    assert all(earlier < later for earlier, later in pairwise(ticks))
    assert rule.prev(ticks[-1]) == ticks[-2]


@given(DURATIONS)
def test_a_duration_is_refused_or_says_itself_again(text: str) -> None:
    duration = taken(lambda: parse_duration(text))

    assert duration is None or parse_duration(str(duration)) == duration


@given(DURATIONS)
def test_a_rhythm_is_refused_or_ticks(text: str) -> None:
    rule = taken(lambda: parse_every(text, START, BERLIN))
    tick = rule.next(START) if rule is not None else None

    assert tick is None or tick > START


@given(st.one_of(ANY, st.sampled_from(["../../etc/passwd", "/etc/localtime", "posix/UTC", "utc", "UTC\0", "", "."])))
def test_a_zone_is_refused_or_known(text: str) -> None:
    zone = taken(lambda: parse_zone(text))

    assert zone is None or re.fullmatch(r"[\w+/-]+", zone.key)


@given(TEMPLATES)
def test_a_template_is_refused_or_can_be_filled(text: str) -> None:
    parsed = parse_template(text)

    assert (parsed.text is None) == bool(parsed.faults)
    assert all("expected" in fault.message and len(fault.message) < 500 for fault in parsed.faults)


@pytest.mark.parametrize("parse", [parse_duration, parse_zone, lambda text: parse_cron(text, BERLIN)])
@pytest.mark.parametrize("text", ["\0", "\ud800", "\u202e", "é" * 10_000, "9" * 10_000, "\x1b[31m"])
def test_what_no_terminal_should_see_is_refused(parse: Callable[[str], object], text: str) -> None:
    with pytest.raises(InvalidValue):
        parse(text)
