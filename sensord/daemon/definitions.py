"""Definitions for who starts commands but keeps no catalog of all flows: read one by one, and kept."""

from sensord.config import flow_from_body
from sensord.core.flow import Flow
from sensord.store import flows
from sensord.store.database import Database, Transaction

KEPT = 2000
"""Definitions; with more they are all read anew."""


class Definitions:
    """A definition never changes, so what was read once holds."""

    def __init__(self) -> None:
        self._known: dict[int, Flow] = {}

    def definition(self, db: Database | Transaction, flow_id: int, definition_id: int) -> Flow:  # noqa: ARG002 -- a Catalog needs it
        """The flow as one of its definitions has it."""
        if definition_id not in self._known:
            if len(self._known) >= KEPT:
                self._known.clear()
            self._known[definition_id] = flow_from_body(*flows.name_and_body(db, definition_id))
        return self._known[definition_id]
