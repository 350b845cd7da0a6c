"""One of several daemons on one PostgreSQL, at the mercy of a play.

It stands by and leads as `daemon.turns` and `daemon.loop` have it, with the real stand-by, lead and daemon, but without
their sockets and signals.
"""

from random import Random

from sensord.daemon.away import Away
from sensord.daemon.crew import Crew
from sensord.daemon.dispatch import Place
from sensord.daemon.loop import NAP
from sensord.daemon.standby import StandBy
from sensord.daemon.supervise import Supervisor
from sensord.errors import LeadLost, Locked, SensordError, Unreachable
from sensord.store import lead_row
from sensord.store.lead import Holder
from sensord.store.lead_row import RowLead
from sensord.store.postgres import PostgresDatabase
from sensord.store.stations import Presence
from sensord.store.wake import ANYTHING
from tests.daemon.world import World
from tests.simulation.crashes import Point, endanger
from tests.simulation.hand import Hand
from tests.simulation.keeping import Keeper
from tests.simulation.post import ALL_EARS, Post
from tests.simulation.process import Blow, Process


class Candidate(Process):
    """post: where it hears of what there is in the database; without, it looks for anything in every turn."""

    def __init__(
        self,
        world: World,
        hand: Hand,
        keeper: Keeper,
        station: str,
        random: Random,
        chance: float,
        post: Post | None = None,
    ) -> None:
        self._post = post
        self._boot = 0.0
        self._leads: RowLead | None = None
        super().__init__(world, hand, keeper, station, random, chance)

    def pass_by(self, point: Point) -> None:
        if self._leads and point is Point.AFTER_COMMIT:
            self.hand.prove_term(self._leads.term)
        super().pass_by(point)

    def draw(self, point: Point) -> Blow | None:
        if self.random.random() >= self.chance:
            return None
        return self.random.choices(tuple(Blow), (50, 15, 20, 15))[0]

    def strike(self, point: Point, blow: Blow) -> None:
        if self._is_undecided(point):
            self.hand.events[f"{blow} in a transaction of who does not lead"] += 1
        super().strike(point, blow)

    def _is_undecided(self, point: Point) -> bool:
        """Whether it may be taking the lead: it has the leader's row, and no lease yet."""
        return self._leads is None and point in (Point.WITHIN, Point.BEFORE_COMMIT)

    def _oversleep(self, point: Point) -> None:
        if not self._is_undecided(point):
            self.hand.expire(self._pid)
        self._boot += lead_row.LEASE / 1_000_000 + 1

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
        daemon._away, daemon._crew = Away(monotonic=self.hand.seconds), Crew(self.hand.seconds)
        ear = self._post.leader() if self._post else ALL_EARS
        daemon.adopt()
        self.wants_reload = True
        has_failed, look_at = True, 0.0
        while True:
            self.settled = False
            heard = ANYTHING if has_failed else ear.drain()
            asked = heard.asked or self.hand.seconds() >= look_at
            look_at = self.hand.seconds() + NAP if asked else look_at
            has_failed = True
            try:
                lead.renew()
                if self.wants_reload:
                    daemon.reload()
                    self.wants_reload = False
                turn = daemon.tick(heard._replace(asked=asked))
                assert not turn.mended, "a counter was wrong"
                self.settled, has_failed = turn.idle and not self._line.has_news, False
                if turn.requests:
                    look_at = 0.0
            except LeadLost:
                raise
            except SensordError as error:
                self.hand.events[type(error).__name__] += 1
            self._rest()

    def _die(self) -> None:
        super()._die()
        self._leads = None

    def _seconds(self) -> float:
        return self._boot


class NoHint:
    """Nobody tells a stand-by that the lead is free."""

    def take(self) -> bool:
        return False

    def wait(self) -> None:
        """Nothing comes of it."""
