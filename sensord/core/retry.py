"""When a failed run is tried again."""

from dataclasses import dataclass
from datetime import timedelta

LONGEST = timedelta(days=1)
"""No pause is longer, however often it has been stretched."""


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a failed run is tried again (`limit`), after which pause, and how the pause grows with each failure."""

    limit: int = 0
    delay: timedelta = timedelta(minutes=1)
    backoff: float = 1.0


def pause(retry: Retry, failures: int, spread: float) -> timedelta | None:
    """The time between the `failures`-th failure in a row (at least 1) and the next try; None where none is left.

    It grows by `backoff` each time. `spread`, from 0 to 1, adds up to a tenth, so that runs which failed together do
    not all come back together.
    """
    if failures > retry.limit:
        return None
    try:
        return min(LONGEST, retry.delay * (retry.backoff ** (failures - 1) * (1 + spread / 10)))
    except OverflowError:
        return LONGEST
