"""Instants: aware UTC datetimes in the program, integer microseconds since 1970 in the database, `...Z` in text."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(instant: datetime) -> int:
    """Microseconds since 1970, exact (no float in between)."""
    return (instant - EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    return EPOCH + timedelta(microseconds=micros)


def format_instant(instant: datetime) -> str:
    """`YYYY-MM-DDTHH:MM:SSZ`; a fraction of a second is cut off, never rounded up."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
