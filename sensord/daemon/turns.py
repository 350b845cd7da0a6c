"""Several daemons on one PostgreSQL take turns: each stands by, leads when the lead is free, and stands by again when
another one has taken over.
"""

import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from sensord.daemon.standby import StandBy
from sensord.daemon.supervise import Supervisor
from sensord.errors import DatabaseError, LeadLost, Locked, Unreachable
from sensord.store import schema
from sensord.store.heart import Heart
from sensord.store.lead import Holder
from sensord.store.lead_row import RowLead
from sensord.store.postgres import PostgresDatabase
from sensord.store.stations import Presence

if TYPE_CHECKING:
    from sensord.daemon.main import Seat

log = logging.getLogger("sensord")


def take_turns(seat: "Seat", holder: Holder) -> None:
    """Stand by and lead until the daemon is told to stop. DatabaseError where the schema is not ours any more."""
    assert isinstance(seat.db, PostgresDatabase)
    presence = Presence(holder)
    standby = StandBy(seat.db, presence, Supervisor(seat.db, seat.executor, seat.place), seat.signals, seat.clock)
    while lead := standby.await_lead():
        try:
            _lead(seat, seat.db, lead, presence, follows=standby.has_followed)
            break
        except (LeadLost, Unreachable, Locked) as error:
            log.warning("it leads no longer: %s", error)
            if seat.draining:
                break
    with suppress(DatabaseError):
        presence.leave(seat.db)


def _lead(seat: "Seat", db: PostgresDatabase, lead: RowLead, presence: Presence, *, follows: bool) -> None:
    heart = Heart(db.url, also=presence.beat)
    try:
        lead.live(heart)
        schema.require_current(db)
        seat.lead(lead, heart, follows=follows)
    finally:
        lead.release()
