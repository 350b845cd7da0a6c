"""What cron is not: each refused form with the field, what was expected, what was got, and a hint."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from sensord.core import cron_days
from sensord.core.cron import parse_cron
from sensord.errors import InvalidValue

ZONE = ZoneInfo("UTC")

# expression -> (what the message says, what the hint says)
REFUSED = {
    # How many fields
    "": ("expected 5 fields (minute, hour, day of month, month, day of week), got 0", ""),
    "* * * *": ("expected 5 fields (minute, hour, day of month, month, day of week), got 4", ""),
    "* * * * * *": ("expected 5 fields", "a sixth field, for seconds, needs seconds = true"),
    "* * * * * * *": ("expected 5 fields", "no field for years: use start and end"),
    "0\u00a00 * * *": ("expected 5 fields", ""),
    "0 0 *\n* * *": ("day of month field: expected values", ""),
    # Aliases
    "@reboot": ("expected one of @yearly, @annually, @monthly", "the start of a machine is none"),
    "@every 5m": ("expected one of", 'use every = "90m"'),
    "@dayly": ("expected one of", "did you mean @daily?"),
    "@": ("expected one of", "such as @hourly"),
    # Random, hashed, nearest weekdays
    "R * * * *": ("minute field: expected plain values, got 'R': random values are not read", "choose a value"),
    "R(0-9)/2 * * * *": ("minute field: expected plain values, got 'R(0-9)/2': random", "choose a value"),
    "0~30 * * * *": ("minute field: expected plain values, got '0~30': random", "choose a value"),
    "H H * * *": ("minute field: expected plain values, got 'H': hashed values", "choose a value"),
    "0 h(0-5) * * *": ("hour field: expected plain values, got 'H(0-5)': hashed", "choose a value"),
    "H/15 * * * *": ("minute field: expected plain values, got 'H/15': hashed", "choose a value"),
    "0 0 15W * *": ("day of month field: expected plain values, got '15W': nearest weekdays", "name the days"),
    "0 0 W15 * *": ("day of month field: expected plain values, got 'W15': nearest weekdays", "name the days"),
    "0 0 LW * *": ("day of month field: expected plain values, got 'LW': nearest weekdays", "name the days"),
    # Wrapped ranges
    "5-1 * * * *": ("minute field: expected a range that rises, got '5-1'", 'write "5-59,0-1"'),
    "0 22-2 * * *": ("hour field: expected a range that rises, got '22-2'", 'write "22-23,0-2"'),
    "0 23-1 * * *": ("hour field: expected a range that rises", 'write "23,0-1"'),
    "0 0 31-1 * *": ("day of month field: expected a range that rises", 'write "31,1"'),
    "0 0 1 NOV-FEB *": ("month field: expected a range that rises", 'write "NOV-DEC,JAN-FEB"'),
    "0 0 * * FRI-MON": ("day of week field: expected a range that rises", 'write "FRI-SAT,SUN-MON"'),
    "0 0 * * 5-0": ("day of week field: expected a range that rises", 'write "5-7"'),
    "0 0 * * 7-1": ("day of week field: expected a range that rises", 'write "0-1"'),
    # Steps
    "*/90 * * * *": ("minute field: expected a step of at most 60, the number of its values, got '*/90'", '"90m"'),
    "*/61 * * * *": ("minute field: expected a step of at most 60", 'every = "61m"'),
    "0 */36 * * *": ("hour field: expected a step of at most 24", 'every = "36h"'),
    "0 0 */32 * *": ("day of month field: expected a step of at most 31", 'every = "32d"'),
    "0 0 1 */18 *": ("month field: expected a step of at most 12", 'every = "18mo"'),
    "0 0 * * */14": ("day of week field: expected a step of at most 7", 'every = "14d"'),
    "10-20/61 * * * *": ("minute field: expected a step of at most 60", 'every = "61m"'),
    "*/0 * * * *": ("minute field: expected a step of 1 or more, got '*/0'", ""),
    "1/2/3 * * * *": ("minute field: expected values from 0 to 59, ranges, lists or steps, got '1/2/3'", ""),
    "*/ * * * *": ("minute field: expected values", ""),
    # Question marks
    "? * * * *": ("""minute field: expected plain values, got '?': "?" is not read""", 'write "*"'),
    "0 0 ? * 1": ("""day of month field: expected plain values, got '?'""", 'write "*"'),
    "0 0 1 * ?": ("""day of week field: expected plain values, got '?'""", 'write "*"'),
    # L and # where they mean nothing
    "0 0 L-3 * *": ("day of month field: expected plain values, got 'L-3': days before the last", 'only "L" itself'),
    "0 0 1-L * *": ("""day of month field: expected plain values, got '1-L': "L" ends no range""", "write 31"),
    "0 0 5L * *": ("day of month field: expected plain values, got '5L'", '"5L" the last Friday'),
    "L * * * *": ("minute field: expected plain values, got 'L'", '"L" alone is the last day of the month'),
    "0 0 * * L": ("day of week field: expected plain values, got 'L'", '"5L" the last Friday'),
    "0 0 * * L5": ("day of week field: expected plain values, got 'L5'", 'write "5L" for the last Friday'),
    "0 0 * * 8L": ("day of week field: expected 0 to 7, got '8'", ""),
    "0 0 * * 1#6": ("day of week field: expected a week from 1 to 5 behind #, got '1#6'", ""),
    "0 0 * * 1#0": ("day of week field: expected a week from 1 to 5 behind #, got '1#0'", ""),
    "0 0 * * 1#L": ("day of week field: expected one day and one week", '"1#2" is the second Monday'),
    "0 0 * * 1-3#2": ("day of week field: expected one day and one week", '"1#2" is the second Monday'),
    "0 0 1#2 * *": ("day of month field: expected plain values, got '1#2'", "# belongs to the day of week"),
    # Numbers and names
    "60 * * * *": ("minute field: expected 0 to 59, got '60'", ""),
    "0 24 * * *": ("hour field: expected 0 to 23, got '24'", "midnight is hour 0"),
    "0 0 0 * *": ("day of month field: expected 1 to 31, got '0'", ""),
    "0 0 32 * *": ("day of month field: expected 1 to 31, got '32'", ""),
    "0 0 1 0 *": ("month field: expected 1 to 12, got '0'", ""),
    "0 0 1 13 *": ("month field: expected 1 to 12, got '13'", ""),
    "0 0 * * 8": ("day of week field: expected 0 to 7, got '8'", ""),
    "0 0 1 FOO *": ("month field: expected 1 to 12 or JAN to DEC, got 'FOO'", ""),
    "0 0 * * JAN": (
        "day of week field: expected 0 to 7 or SUN to SAT, got 'JAN'",
        "that is a name for the month field",
    ),
    "0 0 * * MONDAY": ("day of week field: expected values", "names have three letters: MON"),
    "MON * * * *": ("minute field: expected 0 to 59, got 'MON'", "that is a name for the day of week field"),
    "0 0 * * MOM": ("day of week field: expected 0 to 7 or SUN to SAT, got 'MOM'", "did you mean MON?"),
    "0 0 * * MOM-FRI": ("day of week field: expected 0 to 7 or SUN to SAT, got 'MOM'", "did you mean MON?"),
    "0 0 1 SPE *": ("month field: expected 1 to 12 or JAN to DEC, got 'SPE'", "did you mean SEP?"),
    "0 0 1 MARCH *": ("month field: expected values", "names have three letters: MAR"),
    "-5 * * * *": ("minute field: expected values", ""),
    "1.5 * * * *": ("minute field: expected values", ""),
    "1,,2 * * * *": ("minute field: expected a value on each side of a comma, got ''", ""),
    "1, * * * *": ("minute field: expected a value on each side of a comma", ""),
    "*5 * * * *": ("minute field: expected values", ""),
    "*-5 * * * *": ("minute field: expected a number before -", ""),
    "1-2-3 * * * *": ("minute field: expected values", ""),
    "٣ * * * *": ("minute field: expected values", ""),
    "99999999999999999999 * * * *": ("minute field: expected values", ""),
    # Never
    "0 0 31 2 *": ("day of month field: expected a day that comes, got '0 0 31 2 *', which never fires", "day 31 of"),
    "0 0 30,31 FEB *": ("day of month field: expected a day that comes", "day 30,31 of month FEB"),
    "0 0 31 4,6,9,11 *": ("day of month field: expected a day that comes", "day 31 of month 4,6,9,11"),
    "0 0 31 2 */2": ("day of month field: expected a day that comes", "on day of week */2"),
    "0 0 */20 * 1#5": ("day of month field: expected a day that comes", "day */20 of month * on day of week 1#5"),
    "0 0 */20 2 5L": ("day of month field: expected a day that comes", ""),
    "0 0 */20 * 1#4": ("day of month field: expected a day that comes", ""),
    "0 0 */16 2 5L": ("day of month field: expected a day that comes", ""),
}


@pytest.mark.parametrize("expression", REFUSED)
def test_it_is_refused_with_its_reason(expression: str) -> None:
    message, hint = REFUSED[expression]

    with pytest.raises(InvalidValue, match=re.escape(message)) as caught:
        parse_cron(expression, ZONE)

    assert hint in (caught.value.hint or "")
    assert "\n" not in str(caught.value)


def test_five_fields_are_too_few_where_seconds_are_asked_for() -> None:
    with pytest.raises(InvalidValue, match=r"expected 6 fields \(.*, second\), got 5") as caught:
        parse_cron("* * * * *", ZONE, seconds=True)

    assert caught.value.hint == "with seconds = true the sixth field is the second, such as 0"


def test_a_wrong_second_is_named_as_such() -> None:
    with pytest.raises(InvalidValue, match="second field: expected 0 to 59, got '60'"):
        parse_cron("* * * * * 60", ZONE, seconds=True)


def test_whether_it_ever_fires_is_told_without_searching_the_years(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cron_days, "_ask", lambda *_: pytest.fail("asked for days"))

    with pytest.raises(InvalidValue, match="never fires"):
        parse_cron("0 0 31 2 *", ZONE)


@pytest.mark.parametrize(
    "expression",
    ["0 0 29 2 *", "0 0 31 2 1", "0 0 31 * *", "0 0 L 2 *", "0 0 31,L 2 *", "0 0 */30 * 1#5", "0 0 29 2 */7",
     "0 0 */28 2 5L", "0 0 * 2 1#5", "0 0 31 2 1#5", "0 0 */13 * 1#2", "0 0 */21 2 5L"],
)  # fmt: skip
def test_what_fires_seldom_is_accepted_and_does_fire(expression: str) -> None:
    assert parse_cron(expression, ZONE).next(datetime(2024, 1, 1, tzinfo=UTC)) is not None
