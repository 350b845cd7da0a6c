"""What people ask of the running daemon. A request is applied and answered in one transaction, or neither."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from sensord.errors import DatabaseError, InvalidValue, LeadLost, SensordError
from sensord.store import requests
from sensord.store.database import Database, Transaction
from sensord.store.requests import Answer, Request

log = logging.getLogger("sensord")

Tell = Callable[[Transaction, str], None]
"""Writes the answer to a request in the transaction that does what it asks for."""

Handler = Callable[[Mapping[str, Any], Tell], object]
"""Does what a request's body says. A SensordError is the answer that it cannot be done, and nothing has been."""

Writer = Callable[[Callable[[Transaction], None]], None]
"""Runs what it is given in a transaction of the leader's."""


def serve(db: Database, handlers: Mapping[str, Handler], write: Writer, now: int) -> int:
    """Apply and answer the requests that have gathered, at most 100. Returns how many there were.

    DatabaseError and LeadLost are nobody's answer: the request stays, and is applied when the database can be used.
    """
    gathered = requests.unanswered(db)
    for request in gathered:
        said: list[str] = []
        try:
            _find(handlers, request)(request.body | {"who": request.who}, _tell(request, now, said))
            log.info("%s, asked by %s: %s", request.kind, request.who, said[-1])
        except (DatabaseError, LeadLost):
            raise
        except SensordError as error:
            _refuse(request, Answer(False, error.message, error.hint, error.exit_code), write, now)
            log.info("%s, asked by %s, is refused: %s", request.kind, request.who, error.message)
        except Exception as error:
            log.exception("request %d (%s) failed", request.id, request.kind)
            _refuse(request, Answer(False, f"internal error: {error!r}; the daemon's log says more"), write, now)
    return len(gathered)


def _refuse(request: Request, answer: Answer, write: Writer, now: int) -> None:
    write(lambda tx: requests.answer(tx, request, answer, now))


def _find(handlers: Mapping[str, Handler], request: Request) -> Handler:
    handler = handlers.get(request.kind)
    if handler is None:
        raise InvalidValue(f"expected a request that this daemon knows, got {request.kind!r}")
    return handler


def _tell(request: Request, now: int, said: list[str]) -> Tell:
    def tell(tx: Transaction, text: str) -> None:
        requests.answer(tx, request, Answer(True, text), now)
        said.append(text)

    return tell
