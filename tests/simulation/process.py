"""One of several daemons on one PostgreSQL: a thread, which goes only when it is told to, up to its next rest.

It stands by and leads as `daemon.turns` and `daemon.loop` have it, with the real stand-by, lead and daemon, but without
their sockets and signals. At any point it may be stopped, as by SIGSTOP, killed, or cut off from the database.
"""

import threading
from collections.abc import Callable
from enum import StrEnum
from random import Random

from sensord.daemon.dispatch import Place
from sensord.daemon.standby import StandBy
from sensord.daemon.supervise import Supervisor
from sensord.errors import LeadLost, Locked, SensordError, Unreachable
from sensord.store import lead_row
from sensord.store.lead import Holder
from sensord.store.lead_row import RowLead
from sensord.store.postgres import PostgresDatabase
from sensord.store.stations import Presence
from tests.daemon.world import World
from tests.simulation.crashes import Crash, Point, endanger
from tests.simulation.hand import Hand
from tests.simulation.keeping import Keeper

ROUNDS = (1, 1, 2, 4, 12)
"""For how many rounds one is stopped: in a round, each of the others has a turn."""

STEPS = (1, 2, 4)
"""For how many steps of the course one is stopped that sleeps for long."""


class Blow(StrEnum):
    """What comes at a point. A stopped daemon's lease is over when it wakes up; one that pauses wakes up in time."""

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
        self._boot = 0.0
        self._leads: RowLead | None = None
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
        if self._leads and point is Point.AFTER_COMMIT:
            self.hand.prove_term(self._leads.term)
        assert self._db._open is None or point in (Point.BEFORE_COMMIT, Point.AFTER_COMMIT), f"{point} before a commit"
        if blow := self.draw(point):
            self.strike(point, blow)

    def draw(self, point: Point) -> Blow | None:
        if self.random.random() >= self.chance:
            return None
        return self.random.choices(tuple(Blow), (50, 15, 20, 15))[0]

    def strike(self, point: Point, blow: Blow) -> None:
        self.hand.note(self.station, blow, point)
        is_undecided = self._leads is None and point in (Point.WITHIN, Point.BEFORE_COMMIT)
        if is_undecided:
            self.hand.events[f"{blow} in a transaction of who does not lead"] += 1
        match blow:
            case Blow.KILLED:
                raise Crash
            case Blow.CUT:
                self.hand.terminate(self._db.backend_pid)
            case Blow.PAUSED:
                self.asleep, self.settled = 1, False
                self._rest()
            case Blow.STOPPED:
                if not is_undecided:  # that one has the leader's row, and no lease yet
                    self.hand.expire(self._pid)
                self._sleep()

    def _sleep(self) -> None:
        self.settled = False
        if self.may_sleep_long() and self.random.random() < 0.3:
            self.away = self.random.choice(STEPS)
        else:
            self.asleep = self.random.choice(ROUNDS)
        self._boot += lead_row.LEASE / 1_000_000 + 1
        self._rest()

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
        self._pid = self.hand.next_pid()
        self._db = PostgresDatabase(self.hand.url, durability="normal", readonly=False)
        self._line = self.keeper.connect(self.pass_by)
        holder, folder = Holder(self.station, self._pid, "test", self.station), self.world.folder
        place = Place("manual", self.station, self.station, folder, {"PATH": "/bin"})
        standby = StandBy(
            self._db,
            Presence(holder, self._seconds),
            Supervisor(self._db, self._line, place),
            None,  # type: ignore[arg-type] # no signals reach it
            self.world.clock,
            announce=lambda _: None,
        )
        endanger(self._db, self)
        while True:
            lead = self._stand_by(standby)
            self.hand.note_taking(lead.term)
            self._leads = RowLead(self._db, lead.term, self._seconds)
            try:
                self._lead(self._leads)
            except (LeadLost, Unreachable, Locked) as error:
                self.hand.events[type(error).__name__] += 1
            finally:
                self._leads = None

    def _stand_by(self, standby: StandBy) -> RowLead:
        while (lead := standby._turn(NoHint())) is None:  # type: ignore[arg-type] # as the hint says, if it says nothing
            self.settled = not standby._failing and not self._line.has_news
            self.wants_reload = False
            self._rest()
        return lead

    def _lead(self, lead: RowLead) -> None:
        daemon = self.world.daemon_on(self._db, lead, self._line, self.station)
        daemon.adopt()
        self.wants_reload = True
        while True:
            self.settled = False
            try:
                lead.renew()
                if self.wants_reload:
                    daemon.reload()
                    self.wants_reload = False
                turn = daemon.tick()
                assert not turn.mended, "a counter was wrong"
                self.settled = turn.idle and not self._line.has_news
            except LeadLost:
                raise
            except SensordError as error:
                self.hand.events[type(error).__name__] += 1
            self._rest()

    def _die(self) -> None:
        """The server notices at once, and the keeper too."""
        pid = self._db.backend_pid
        self._db.close()
        self.hand.terminate(pid)
        self.keeper.cut(self._line)
        self._leads = None

    def _seconds(self) -> float:
        return self._boot


class NoHint:
    """Nobody tells a stand-by that the lead is free."""

    def take(self) -> bool:
        return False

    def wait(self) -> None:
        """Nothing comes of it."""
