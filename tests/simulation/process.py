"""A process of a play, on PostgreSQL: a thread, which goes only when it is told to, up to its next rest.

At any point it may be stopped, as by SIGSTOP, killed, or cut off from the database. What it does is said by its kind: a
daemon's in `candidate`, a worker's in `hired`.
"""

import threading
from collections.abc import Callable
from enum import StrEnum
from random import Random

from sensord.store.postgres import PostgresDatabase
from tests.daemon.world import World
from tests.simulation.crashes import Crash, Point
from tests.simulation.hand import Hand
from tests.simulation.keeping import Keeper, Line

ROUNDS = (1, 1, 2, 4, 12)
"""For how many rounds one is stopped: in a round, each of the others has a turn."""

STEPS = (1, 2, 4)
"""For how many steps of the course one is stopped that sleeps for long."""


class Blow(StrEnum):
    """What comes at a point. Who is stopped has been given up by the others when it wakes up; one that pauses wakes up
    in time.
    """

    STOPPED = "stopped"
    PAUSED = "paused"
    KILLED = "killed"
    CUT = "cut off"


class Over(BaseException):
    """The play is over."""


class Process:
    """`settled`: its last turn found nothing to do, and it has no news. `asleep`: rounds until it wakes up; `away`:
    steps of the course until then.
    """

    def __init__(self, world: World, hand: Hand, keeper: Keeper, station: str, random: Random, chance: float) -> None:
        self.world, self.hand, self.keeper, self.station = world, hand, keeper, station
        self.random, self.chance = random, chance
        self.settled, self.wants_reload = False, False
        self.asleep = self.away = 0
        self.may_sleep_long: Callable[[], bool] = lambda: False
        self._pid = 0
        self._db: PostgresDatabase
        self._line: Line
        self._error: BaseException | None = None
        self._over = False
        self._go, self._rests = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._exist, daemon=True)
        self._thread.start()

    def step(self) -> None:
        """Up to its next rest: after a turn, or where it is stopped."""
        self._go.release()
        self._rests.acquire()
        if self._error:
            raise self._error

    def end(self) -> None:
        """It is no more."""
        self._over = True
        self._go.release()
        self._thread.join()

    def pass_by(self, point: Point) -> None:
        assert self._db._open is None or point in (Point.BEFORE_COMMIT, Point.AFTER_COMMIT), f"{point} before a commit"
        if blow := self.draw(point):
            self.strike(point, blow)

    def draw(self, point: Point) -> Blow | None:
        raise NotImplementedError

    def strike(self, point: Point, blow: Blow) -> None:
        self.hand.note(self.station, blow, point)
        match blow:
            case Blow.KILLED:
                raise Crash
            case Blow.CUT:
                self.hand.terminate(self._db.backend_pid)
            case Blow.PAUSED:
                self.asleep, self.settled = 1, False
                self._rest()
            case Blow.STOPPED:
                self._oversleep(point)
                self._sleep()

    def _sleep(self) -> None:
        self.settled = False
        if self.may_sleep_long() and self.random.random() < 0.3:
            self.away = self.random.choice(STEPS)
        else:
            self.asleep = self.random.choice(ROUNDS)
        self._rest()

    def _oversleep(self, point: Point) -> None:
        """So much time has passed when it wakes up that the others have given it up."""
        raise NotImplementedError

    def _rest(self) -> None:
        self._rests.release()
        self._go.acquire()
        if self._over:
            raise Over

    def _exist(self) -> None:
        """One process after the other, as a service manager has it."""
        self._go.acquire()
        try:
            while not self._over:
                try:
                    self._live()
                except Crash:
                    self._die()
        except Over:
            self._die()
        except BaseException as error:  # noqa: BLE001 -- raised again where it is seen: in `step`
            self._error = error
            self._db.close()
            self._rests.release()

    def _live(self) -> None:
        raise NotImplementedError

    def _die(self) -> None:
        """The server notices at once, and the keeper too."""
        pid = self._db.backend_pid
        self._db.close()
        self.hand.terminate(pid)
        self.keeper.cut(self._line)
