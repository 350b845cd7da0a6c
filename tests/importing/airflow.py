"""A second reading of Airflow, to judge the import by: which runs a DAG has, and which one a sensor looks for.

By its documentation: the run of a data interval has its start as logical date and comes due at its end; a trigger
timetable's run has the instant itself. An ExternalTaskSensor takes the run of the other DAG whose logical date is its
own less execution_delta, exactly, and waits for ever where there is none. Ticks are found by walking real minutes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from tests.core.oracle import list_ticks


@dataclass(frozen=True)
class Run:
    logical: datetime
    due: datetime


@dataclass(frozen=True)
class Airflow:
    """A DAG's schedule. interval: whether it is one of data intervals."""

    cron: str
    zone: str = "UTC"
    interval: bool = True

    def runs(self, since: datetime, until: datetime) -> list[Run]:
        """Those that come due in `since < due <= until`."""
        return [run for run in _runs(self, since, until) if since < run.due]


@cache
def _runs(dag: Airflow, since: datetime, until: datetime) -> list[Run]:
    """And the one that comes due before them."""
    ticks = list_ticks(dag.cron, ZoneInfo(dag.zone), since - timedelta(days=8), until + timedelta(minutes=1))
    return [Run(a, b) for a, b in pairwise(ticks)] if dag.interval else [Run(a, a) for a in ticks]


@cache
def _by_logical_date(dag: Airflow, since: datetime, until: datetime) -> dict[datetime, Run]:
    return {run.logical: run for run in _runs(dag, since, until)}


def poked(mine: Run, other: Airflow, delta: timedelta, since: datetime, until: datetime) -> Run | None:
    """The run that the sensor of a run takes; None where it never finds one."""
    return _by_logical_date(other, since, until).get(mine.logical - delta)
