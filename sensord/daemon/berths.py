"""Whose slots the runs of each flow take: of which pool, and whether on this host or by the workers of a queue."""

from dataclasses import dataclass

from sensord.config import Settings
from sensord.config.settings import LOCAL, PROCRASTINATE
from sensord.core.flow import Flow
from sensord.core.limits import Berth


@dataclass(frozen=True, slots=True)
class Berths:
    """executor, queue: of flows that name none. are_shared: whether the database can carry runs to workers; where it
    cannot, as in a simulation, everything runs here.
    """

    executor: str = LOCAL
    queue: str = ""
    are_shared: bool = False

    @staticmethod
    def by(settings: Settings, dialect: str) -> "Berths":
        return Berths(settings.executor, settings.queue, dialect == "postgresql")

    def of(self, flow: Flow) -> Berth:
        if not self.are_shared or (flow.executor or self.executor) != PROCRASTINATE:
            return Berth(flow.pool)
        return Berth(flow.pool, flow.queue or self.queue)


ALL_HERE = Berths()
