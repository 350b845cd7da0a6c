"""Faults at will: a daemon that is killed, or is refused something, before and after every commit, within transactions,
and before and after every call of its executor.

What has been committed stays, and commands go on; all else is lost with a daemon that is killed. One that is refused
lives on, and does not know whether what it was about to do has been done.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from random import Random
from typing import Any, NamedTuple, NoReturn, Protocol

from sensord.errors import Unreachable
from sensord.store.database import Database

MOST_STATEMENTS = 20
"""A fault within a transaction comes before one of so many first statements."""


class Crash(BaseException):
    """The daemon is no more. Nothing may catch it."""


class Refused(Unreachable):
    """The database, or the executor, is away: before it has done what it was asked for, or just after that."""


class Point(StrEnum):
    """Where a fault may come."""

    WITHIN = "within a transaction"
    BEFORE_COMMIT = "before a commit"
    AFTER_COMMIT = "after a commit"
    BEFORE_SUBMIT = "before submitting"
    AFTER_SUBMIT = "after submitting one"
    BEFORE_ADOPT = "before adopting"
    AFTER_ADOPT = "after adopting"
    BEFORE_POLL = "before polling"
    AFTER_POLL = "after polling"
    BEFORE_KILL = "before killing"
    AFTER_KILL = "after killing"
    BEFORE_FORGET = "before forgetting"
    AFTER_FORGET = "after forgetting"


DEADLY = frozenset({Point.AFTER_POLL})
"""What an executor has told, it has told: it does not refuse afterwards."""

FORGETTING = frozenset({Point.BEFORE_FORGET, Point.AFTER_FORGET})
"""Only where something is pruned."""

RARE, RARE_TIMES = frozenset({Point.BEFORE_KILL, Point.AFTER_KILL, *FORGETTING}), 8
"""Points that are passed seldom have their faults more often."""


class Strike(NamedTuple):
    """A fault that came: killed or refused, and the number of the point."""

    how: str
    point: Point
    number: int

    def __str__(self) -> str:
        return f"{self.how} {self.point}"


@dataclass
class Faults:
    """Counts the points that a daemon passes, and says what happens there: at the point number `at`, or at each by
    `chance`, it is killed; or refused, for the share `refusals` of such faults.
    """

    at: int | None = None
    chance: float = 0.0
    refusals: float = 0.0
    random: Random = field(default_factory=Random)
    passed: int = 0
    struck: list[Strike] = field(default_factory=list)
    _resting: bool = False

    @classmethod
    def of(cls, seed: int) -> "Faults":
        """Those of a seed: few or many."""
        random = Random(f"faults {seed}")
        return cls(chance=random.choice((0.005, 0.02, 0.05)), refusals=random.choice((0.0, 0.3)), random=random)

    def pass_by(self, point: Point) -> None:
        """Raises Crash or Refused where that is to be."""
        if fault := self.draw(point):
            self.strike(point, fault)

    def draw(self, point: Point) -> BaseException | None:
        """What is to happen here, if anything."""
        if self._resting:
            return None
        self.passed += 1
        chance = self.chance * (RARE_TIMES if point in RARE else 1)
        if self.passed != self.at and not (chance and self.random.random() < chance):
            return None
        is_refusal = point not in DEADLY and self.refusals > 0 and self.random.random() < self.refusals
        return Refused("refused by the test") if is_refusal else Crash()

    def strike(self, point: Point, fault: BaseException) -> NoReturn:
        self.struck.append(Strike("refused" if isinstance(fault, Refused) else "killed", point, self.passed))
        raise fault

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Nothing happens meanwhile: this is not the daemon's doing."""
        before, self._resting = self._resting, True
        try:
            yield
        finally:
            self._resting = before


class Dangers(Protocol):
    """What a daemon passes by."""

    random: Random

    def pass_by(self, point: Point) -> None: ...
    def draw(self, point: Point) -> Any: ...
    def strike(self, point: Point, fault: Any) -> None: ...


def endanger(db: Database, faults: Dangers) -> None:
    """From now on every transaction on this connection is dangerous, until it is calmed."""
    begin, commit, roll_back, fetch, run = db._begin, db._commit, db._roll_back, db._fetch, db._run

    def dangerous_begin() -> None:
        begin()
        if fault := faults.draw(Point.WITHIN):
            statements = count(-faults.random.randrange(MOST_STATEMENTS))

            def guard(send: Callable[..., Any]) -> Callable[..., Any]:
                def dangerous(sql: str, values: dict[str, Any]) -> Any:
                    if next(statements) == 0:
                        faults.strike(Point.WITHIN, fault)
                    return send(sql, values)

                return dangerous

            db.__dict__.update(_fetch=guard(fetch), _run=guard(run))

    def safe_roll_back() -> None:
        db.__dict__.update(_fetch=fetch, _run=run)
        roll_back()

    def dangerous_commit() -> None:
        try:
            faults.pass_by(Point.BEFORE_COMMIT)
        except BaseException:
            safe_roll_back()
            raise
        db.__dict__.update(_fetch=fetch, _run=run)
        commit()
        faults.pass_by(Point.AFTER_COMMIT)

    db.__dict__.update(_begin=dangerous_begin, _commit=dangerous_commit, _roll_back=safe_roll_back)


def calm(db: Database) -> None:
    """No danger any more."""
    for name in ("_begin", "_commit", "_roll_back", "_fetch", "_run"):
        db.__dict__.pop(name, None)
