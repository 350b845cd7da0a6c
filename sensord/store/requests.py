"""What people ask of the daemon: the command line writes a request, the leader applies it and answers in the row."""

import json
from typing import Any, NamedTuple
from uuid import uuid4

from sensord.store.database import Database, Transaction


class Request(NamedTuple):
    id: int
    kind: str
    body: dict[str, Any]
    who: str


class Answer(NamedTuple):
    """Where it is not ok, `hint` says what to try, and `exit_code` what the command line ends with."""

    ok: bool
    text: str
    hint: str | None = None
    exit_code: int | None = None


ASK = """
INSERT INTO request (key, kind, body, who, created_at) VALUES (:key, :kind, :body, :who, :now) RETURNING id
"""


def ask(db: Database, kind: str, body: dict[str, Any], *, who: str, now: int, key: str | None = None) -> int:
    """Leave a request for the leader and return its id. A second one with the same `key` is refused."""
    with db.transaction() as tx:
        rows = tx.fetch(ASK, key=key or uuid4().hex, kind=kind, body=json.dumps(body), who=who, now=now)
    return int(rows[0][0])


ANSWER_OF = "SELECT ok, answer, hint, exit_code FROM request WHERE id = :id AND answered_at IS NOT NULL"


def answer_of(db: Database, request_id: int) -> Answer | None:
    """The leader's answer, None as long as there is none."""
    rows = db.fetch(ANSWER_OF, id=request_id)
    return Answer(bool(rows[0][0]), *rows[0][1:]) if rows else None


OPEN = "SELECT id, kind, body, who FROM request WHERE answered_at IS NULL ORDER BY id LIMIT 100"


def unanswered(db: Database) -> list[Request]:
    """The oldest requests that nobody has answered yet, at most 100."""
    return [Request(request_id, kind, _decode(body), who) for request_id, kind, body, who in db.fetch(OPEN)]


def _decode(text: str) -> dict[str, Any]:
    """What is no JSON object asks for nothing in particular: whoever applies it says what is missing."""
    try:
        body = json.loads(text)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


ANSWER = """
UPDATE request SET answered_at = :now, ok = :ok, answer = :text, hint = :hint, exit_code = :exit_code
WHERE id = :id AND answered_at IS NULL
"""


def answer(tx: Transaction, request: Request, reply: Answer, now: int) -> None:
    tx.run(ANSWER, id=request.id, now=now, **reply._asdict() | {"ok": int(reply.ok)})


EXPIRE = """
UPDATE request SET answered_at = :now, ok = 0, answer = 'the daemon that was asked has ended'
WHERE kind = 'stop' AND answered_at IS NULL
"""


def expire(tx: Transaction, now: int) -> None:
    """Answer what was asked of an earlier daemon alone: a new one must not stop because the last one should have."""
    tx.run(EXPIRE, now=now)
