"""A worker at the mercy of a play: the real one, turn by turn, without sockets and signals. Its keeper holds commands
on a leash, as a real one does.
"""

from contextlib import suppress
from datetime import timedelta
from random import Random

from sensord.daemon.dispatch import Place
from sensord.daemon.supervise import Supervisor
from sensord.errors import DatabaseError
from sensord.store.lead import Holder
from sensord.store.postgres import PostgresDatabase
from sensord.worker.heartbeat import Heartbeat
from sensord.worker.pruning import Pruner
from sensord.worker.shipping import Shipper
from sensord.worker.worker import Ears, Worker, leave
from tests.daemon.world import World
from tests.simulation.crashes import Crash, Point, endanger
from tests.simulation.hand import Hand
from tests.simulation.keeping import Keeper
from tests.simulation.post import Post
from tests.simulation.process import ROUNDS, Blow, Process

QUEUE = "default"
LIMIT = timedelta(hours=1)
"""Of the server's own time, as long as no play takes: a worker is silent for longer when the test says so."""

GIVEN_UP = LIMIT.total_seconds() * 1.5 + 1
DRAIN, FALL = 0.01, 0.004
"""How often a turn is followed by SIGTERM; and how often a worker dies with its keeper and all commands."""


class Hired(Process):
    """harsh: it may be stopped for so long that its runs are lost, or its machine may die."""

    def __init__(
        self,
        world: World,
        hand: Hand,
        keeper: Keeper,
        station: str,
        random: Random,
        chance: float,
        post: Post,
        slots: int,
        *,
        harsh: bool,
    ) -> None:
        self._post, self._slots, self._harsh = post, slots, harsh
        self._slept = 0.0
        self.is_draining = False
        super().__init__(world, hand, keeper, station, random, chance)

    def draw(self, point: Point) -> Blow | None:
        if self.random.random() >= self.chance:
            return None
        return self.random.choices(tuple(Blow), (30 if self._harsh else 0, 15, 35, 20))[0]

    def _oversleep(self, point: Point) -> None:
        self.hand.silence(self.station, GIVEN_UP)
        self._slept += GIVEN_UP
        self.keeper.lapse()

    def _seconds(self) -> float:
        return self.hand.seconds() + self._slept

    def _live(self) -> None:
        self._pid = self.hand.next_pid()
        self._db = PostgresDatabase(self.hand.url, durability="normal", readonly=False)
        self._line = self.keeper.connect(self.pass_by)
        place = Place("local", self.station, self.station, self.world.folder, {"PATH": "/bin"})
        holder, runs = Holder(self.station, self._pid, "test", self.station), self.world.folder / self.station
        supervisor = Supervisor(self._db, self._line, place)
        heartbeat = Heartbeat(holder, self.station, QUEUE, self._slots, LIMIT, self._seconds)
        worker = Worker(
            self._db,
            self._line,
            supervisor,
            heartbeat,
            Shipper(runs, self._seconds),
            Pruner(runs, self._seconds),
            None,  # type: ignore[arg-type] # signals come by `_obey`
            place,
            self.world.clock,
            Ears(*self._post.worker(self.station)),
            self._seconds,
        )
        endanger(self._db, self)
        while not worker.done:
            self.settled = False
            worker.turn()
            is_taking = worker._has_work and not worker._draining and supervisor.busy < self._slots
            self.settled = not (worker._failing or self._line.has_news or is_taking or worker.done)
            self._rest()
            self._meet(worker)
        with suppress(DatabaseError):
            leave(self._db, self.station, supervisor.busy)
        self._die()
        self.is_draining = False

    def _meet(self, worker: Worker) -> None:
        """What comes between two turns."""
        if self._harsh and self.chance and self.random.random() < FALL:
            self.hand.events["a machine fell"] += 1
            self.keeper.fall()
            if self.random.random() < 0.5:
                self.hand.silence(self.station, GIVEN_UP)
                self.asleep = self.random.choice(ROUNDS)
            raise Crash
        if self.chance and self.may_sleep_long() and self.random.random() < DRAIN:
            self.is_draining, self.settled = True, False
            self.hand.events["a worker was told to end"] += 1
            worker._obey(15)
