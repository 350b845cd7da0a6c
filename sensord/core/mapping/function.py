"""A mapping written in Python: calling it, and judging what it returns. Importing it is the shell's."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from sensord.core.ticks import Ticks


@dataclass(frozen=True, slots=True)
class Context:
    """What a mapping function may ask for beside its date.

    logical_date: the run's (the function's first argument is the anchor: the same unless `align` or `offset` is set);
    previous_tick: the downstream tick before it, None where there is none; zone: the downstream's;
    upstream: the upstream's ticks between its start and its end.
    """

    logical_date: datetime
    previous_tick: datetime | None
    zone: ZoneInfo
    upstream: Ticks


@dataclass(frozen=True, slots=True)
class MappingFunction:
    """`name` is `module:function`, and stands for the function in comparisons: a process imports a module once.

    call: (anchor, context) -> what the user's function returns, unchecked. It may raise anything.
    """

    name: str
    call: Callable[[datetime, Context], object] = field(compare=False, repr=False)


class FunctionFailed(Exception):
    """The function raised; the text says what."""


class BadReturn(Exception):
    """The function returned what is no set of instants; the text says what was expected and got."""


def call(function: MappingFunction, anchor: datetime, context: Context, limit: int) -> tuple[datetime, ...]:
    """The instants that the function returns: UTC, unique, ascending; no more than `limit`.

    Raises FunctionFailed or BadReturn, nothing else: a user's mistake ends one sensor's resolution, not the daemon.
    """
    try:
        returned = function.call(anchor, context)
        items = list(islice(returned, limit + 1)) if isinstance(returned, Iterable) else None
    except (Exception, SystemExit) as error:  # foreign code may raise anything, and sys.exit() must not end the daemon
        raise FunctionFailed(f"{function.name} raised {_say(error)}") from error
    if items is None or isinstance(returned, str | bytes):
        raise BadReturn(f"{function.name}: expected an iterable of datetimes, got {type(returned).__name__}")
    if len(items) > limit:
        raise BadReturn(f"{function.name}: expected at most {limit:,} dates, got more")
    return tuple(sorted({_instant(function.name, item) for item in items}))


def _instant(name: str, item: object) -> datetime:
    if not isinstance(item, datetime):
        raise BadReturn(f"{name}: expected aware datetimes, got {type(item).__name__} among them")
    try:
        offset = item.utcoffset()
        if offset is not None:
            return _plain(item, offset)
    except Exception as error:  # a foreign tzinfo may raise anything, arithmetic at the end of time OverflowError
        raise BadReturn(f"{name}: expected instants between the years 1 and 9999, got {_say(error)}") from error
    raise BadReturn(f"{name}: expected aware datetimes, got {_plain(item, timedelta())} without a zone")


def _plain(item: datetime, offset: timedelta) -> datetime:
    """As datetime itself: a subclass (pandas, pendulum) may compare and hash by rules of its own."""
    parts = (item.year, item.month, item.day, item.hour, item.minute, item.second, item.microsecond)
    return datetime(*parts, tzinfo=UTC) - offset


def _say(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - its own __str__ is foreign code too
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
