"""How the command line changes anything: it asks the daemon that leads, and waits a while for the answer."""

import os
import pwd
import socket
from collections.abc import Mapping
from typing import Any

from sensord.cli import render
from sensord.cli.session import Session
from sensord.core.instant import to_micros
from sensord.errors import NoDaemon, SensordError
from sensord.store import requests
from sensord.store.database import Database
from sensord.store.lead import Leader, current_leader
from sensord.store.wake import wake

PATIENCE = 5.0
"""Seconds to wait for an answer."""

PAUSE = 0.02
"""Seconds between two looks."""


def require_leader(db: Database) -> Leader:
    """The daemon that leads; NoDaemon where none does."""
    leader = current_leader(db)
    if leader is None:
        raise NoDaemon("no daemon leads", hint="start one with `sensord daemon start`")
    return leader


def ask(session: Session, db: Database, kind: str, body: Mapping[str, Any]) -> bool:
    """Ask the leader and print its answer; SensordError where it refuses, NoDaemon, with nothing written, without one.

    Whether it has answered: where it is too busy, the request stays, and what is printed is its number.
    """
    require_leader(db)
    request_id = requests.ask(db, kind, dict(body), who=whoami(), now=to_micros(session.clock.now()))
    wake(db)
    for _ in range(round(PATIENCE / PAUSE)):
        if answer := requests.answer_of(db, request_id):
            if not answer.ok:
                raise _refusal(answer)
            render.message(answer.text)
            return True
        session.wait(PAUSE)
    render.message(f"accepted as request {request_id}; the daemon has not answered yet")
    return False


def _refusal(answer: requests.Answer) -> SensordError:
    """The error that the daemon met, as if it had been met here."""
    error = SensordError(answer.text, hint=answer.hint)
    error.exit_code = answer.exit_code or error.exit_code
    return error


def whoami() -> str:
    """The user and host that a request is recorded under."""
    uid = os.geteuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    return f"{name}@{socket.gethostname()}"
