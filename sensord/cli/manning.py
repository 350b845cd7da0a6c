"""The workers by queue, in short; and whether anybody could take a queued run, by its flow and by sensord.toml."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from sensord.cli.session import Session

if TYPE_CHECKING:
    from sensord.store.database import Database
    from sensord.store.reads.flows import Flow


class Crew(NamedTuple):
    """The workers of one queue: how many, `draining` of which take nothing more; their slots, `busy` in use."""

    queue: str
    workers: int
    slots: int
    busy: int
    draining: int


def crews(db: "Database") -> list[Crew]:
    """Of each queue that has workers, by name. On SQLite there are none."""
    from itertools import groupby

    from sensord.store import workers

    found = []
    for queue, group in groupby(workers.present(db), key=lambda one: one.queue):
        mine = list(group)
        slots, busy = sum(one.slots for one in mine), sum(one.busy for one in mine)
        found.append(Crew(queue, len(mine), slots, busy, sum(not one.is_taking for one in mine)))
    return found


def crew_words(found: Sequence[Crew]) -> str:
    """`2 on etl, 5 of 16 slots in use`; `3, 6 of 24 slots in use (2 on etl: 5 of 16, 1 draining; 1 on ml: 1 of 8)`."""
    if len(found) == 1:
        (one,) = found
        return f"{one.workers:,} on {one.queue}, {one.busy:,} of {one.slots:,} slots in use{_draining(one)}"
    number, slots = sum(one.workers for one in found), sum(one.slots for one in found)
    busy = sum(one.busy for one in found)
    each = [f"{one.workers:,} on {one.queue}: {one.busy:,} of {one.slots:,}{_draining(one)}" for one in found]
    return f"{number:,}, {busy:,} of {slots:,} slots in use ({'; '.join(each)})"


def _draining(one: Crew) -> str:
    return f", {one.draining:,} draining" if one.draining else ""


def lacks_worker(session: Session, db: "Database", flow: "Flow") -> list[str]:
    """What to do where a flow's runs go to workers and none takes from its queue; empty where one does, or where that
    cannot be told: the flow names no executor, and the daemon's sensord.toml is not at hand.
    """
    if db.dialect == "sqlite":
        return []
    from sensord.config.body import flow_from_body
    from sensord.config.settings import PROCRASTINATE, load_settings
    from sensord.store import workers
    from sensord.store.reads import flows

    definition, settings = flow_from_body(flow.name, flows.body(db, flow)), load_settings(session.config_dir, db.url)
    queue = definition.queue or settings.queue
    if (definition.executor or settings.executor) != PROCRASTINATE or workers.room(db).get(queue):
        return []
    return [
        f"There is no worker that takes runs from queue {queue}: `sensord worker start --queue {queue}` starts one."
    ]
