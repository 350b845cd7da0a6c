"""Whether anybody could take a queued run: the workers of its queue, by the flow and by sensord.toml."""

from typing import TYPE_CHECKING

from sensord.cli.session import Session

if TYPE_CHECKING:
    from sensord.store.database import Database
    from sensord.store.reads.flows import Flow


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
