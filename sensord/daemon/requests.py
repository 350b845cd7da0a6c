"""What people ask of the running daemon, applied one by one, each in its own transaction, and answered in its row."""

from collections.abc import Callable, Mapping
from typing import Any

from sensord.clock import Clock
from sensord.core.instant import to_micros
from sensord.errors import SensordError
from sensord.store import requests
from sensord.store.database import Database
from sensord.store.lead import Lead
from sensord.store.requests import Answer

Handler = Callable[[Mapping[str, Any]], str]
"""Does what the request's body says and returns the answer; a SensordError is the answer that it cannot be done."""


def serve(db: Database, lead: Lead, clock: Clock, handlers: Mapping[str, Handler]) -> int:
    """Apply and answer the requests that have gathered. Returns how many there were."""
    gathered = requests.unanswered(db)
    for request in gathered:
        reply = _apply(handlers.get(request.kind), request.body | {"who": request.who}, request.kind)
        with db.transaction() as tx:
            lead.guard(tx)
            requests.answer(tx, request, reply, to_micros(clock.now()))
    return len(gathered)


def _apply(handler: Handler | None, body: Mapping[str, Any], kind: str) -> Answer:
    if handler is None:
        return Answer(False, f"expected a request that this daemon knows, got {kind!r}")
    try:
        return Answer(True, handler(body))
    except SensordError as error:
        return Answer(False, error.message)
