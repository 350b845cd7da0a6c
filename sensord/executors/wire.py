"""What the daemon and the keeper say to each other: lines of JSON over a stream socket, in bounded buffers.

From the daemon: submit, refuse, adopt, kill, leash, forget. From the keeper: hello, began, ended, forgotten, error.
"""

import json
import signal
import socket
from typing import Any

from sensord.core.instant import from_micros, to_micros
from sensord.executors.base import Account, Attempt, Began, Ended, Forgotten, Job, News
from sensord.executors.leash import Leash
from sensord.executors.ledger import format_end, parse_end

PROTOCOL = 4
LONGEST_LINE = 64 << 20
"""Bytes. The largest argv and environment that Linux accepts (6 MiB) fit, even with every character escaped."""

Message = dict[str, Any]

_CHUNK = 1 << 18
_MOST = 1 << 63


class Malformed(Exception):
    """The other side said what nobody understands."""


class Channel:
    """One end of a connection that never blocks. What does not fit the socket's buffer waits here, up to `most` bytes;
    past that the connection is given up, since reports can be asked for again."""

    def __init__(self, sock: socket.socket, *, most: int = LONGEST_LINE) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.is_open = True
        self.has_ended = False  # the other side says nothing more
        self._is_deaf = False  # the other side hears nothing more; what it said before may still be here
        self._most = most
        self._incoming = bytearray()
        self._outgoing = bytearray()
        self._seen = 0

    def fileno(self) -> int:
        return self.sock.fileno()

    @property
    def has_more_to_send(self) -> bool:
        return bool(self._outgoing)

    @property
    def has_line(self) -> bool:
        """Whether `next_line` has one to give. A look at what came before is not repeated."""
        found = self._incoming.find(b"\n", self._seen)
        self._seen = len(self._incoming) if found < 0 else found
        return found >= 0

    def send(self, line: bytes) -> None:
        if self._is_deaf:
            return
        self._outgoing += line
        if len(self._outgoing) > self._most:
            self.close()

    def flush(self) -> None:
        """Send what the socket takes."""
        while self._outgoing and self.is_open:
            try:
                sent = self.sock.send(self._outgoing[:_CHUNK])
            except BlockingIOError:
                return
            except OSError:
                self._is_deaf = True
                self._outgoing.clear()
                return
            del self._outgoing[:sent]

    def receive(self) -> None:
        """Take in what has come, one chunk at most. Who has gone, or talks without an end, has ended."""
        try:
            chunk = self.sock.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        self._incoming += chunk
        self.has_ended = not chunk or (len(self._incoming) > LONGEST_LINE and not self.has_line)

    def next_line(self) -> bytes | None:
        if not self.has_line:
            return None
        line = bytes(self._incoming[: self._seen])
        del self._incoming[: self._seen + 1]
        self._seen = 0
        return line

    def close(self) -> None:
        self.is_open = False
        self.sock.close()


def encode(what: str, attempt: Attempt | None = None, **fields: Any) -> bytes:
    key = {"run": attempt.run_id, "attempt": attempt.number} if attempt else {}
    return json.dumps({"what": what, **key, **fields}, separators=(",", ":")).encode() + b"\n"


def encode_job(job: Job) -> bytes:
    """A command too long for a line is too long for the system: it is refused in the system's words."""
    if job.refusal is not None:
        return encode("refuse", job.attempt, message=job.refusal)
    account = {} if job.account is None else {"as": [job.account.uid, job.account.gid, *job.account.groups]}
    line = encode("submit", job.attempt, argv=job.argv, cwd=job.cwd, env=dict(job.env), **account)
    if len(line) > LONGEST_LINE:
        return encode("refuse", job.attempt, message=f"{job.argv[0][:200]}: Argument list too long")
    return line


def encode_report(report: News) -> bytes:
    match report:
        case Began():
            return encode("began", report.attempt, pid=report.pid, at=to_micros(report.at))
        case Ended():
            return encode("ended", report.attempt, end=format_end(report).decode())
        case Forgotten():
            return encode("forgotten", runs=report.run_ids, kept=report.kept)


def decode(line: bytes) -> Message:
    """The message, with a string as `what`; raises Malformed."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"expected a line of JSON, got {error}") from error
    if not isinstance(message, dict) or not isinstance(message.get("what"), str):
        raise Malformed(f"expected an object with a `what`, got {line[:100]!r}")
    return message


def decode_attempt(message: Message) -> Attempt:
    run_id, number = message.get("run"), message.get("attempt")
    if type(run_id) is not int or type(number) is not int or not (0 <= run_id < _MOST and 0 <= number < _MOST):
        raise Malformed(f"expected numbers from 0 to 2**63 - 1 for `run` and `attempt`, got {run_id!r} and {number!r}")
    return Attempt(run_id, number)


def decode_job(message: Message) -> Job:
    argv, cwd, env = message.get("argv"), message.get("cwd"), message.get("env")
    if not isinstance(argv, list) or not argv or not all(isinstance(word, str) for word in argv):
        raise Malformed("expected a list of strings, not empty, for `argv`")
    if not isinstance(cwd, str):
        raise Malformed("expected a string for `cwd`")
    if not isinstance(env, dict) or not all(isinstance(value, str) for value in env.values()):
        raise Malformed("expected an object of strings for `env`")
    return Job(decode_attempt(message), tuple(argv), cwd, env, _decode_account(message.get("as")))


def _decode_account(ids: object) -> Account | None:
    """A user, its group, and its groups; what cannot be read must never start as anybody else."""
    if ids is None:
        return None
    if not isinstance(ids, list) or len(ids) < 2 or not all(type(one) is int and 0 <= one < 1 << 32 for one in ids):
        raise Malformed(f"expected a list of two or more ids for `as`, got {str(ids)[:100]}")
    return Account(ids[0], ids[1], tuple(ids[2:]))


def decode_signal(message: Message) -> int:
    number = message.get("signal")
    if type(number) is not int or number not in signal.valid_signals():
        raise Malformed(f"expected the number of a signal, got {number!r}")
    return number


def decode_leash(message: Message) -> Leash:
    until, kill_at = message.get("until"), message.get("kill_at")
    if type(until) is not float or type(kill_at) is not float or not 0 <= until <= kill_at < _MOST:
        raise Malformed(f"expected seconds for `until` and later ones for `kill_at`, got {until!r} and {kill_at!r}")
    return Leash(until, kill_at)


def decode_runs(message: Message) -> tuple[int, ...]:
    runs = message.get("runs")
    if not isinstance(runs, list) or not all(type(run_id) is int and 0 <= run_id < _MOST for run_id in runs):
        raise Malformed(f"expected a list of numbers from 0 to 2**63 - 1 for `runs`, got {str(runs)[:100]}")
    return tuple(runs)


def decode_report(message: Message) -> News:
    """A `began`, an `ended` or a `forgotten`, from a keeper that is trusted to write them whole."""
    if message["what"] == "forgotten":
        return Forgotten(tuple(message["runs"]), tuple(message["kept"]))
    attempt = decode_attempt(message)
    if message["what"] == "began":
        return Began(attempt, message["pid"], from_micros(message["at"]))
    ended = parse_end(attempt, message["end"].encode())
    if ended is None:
        raise Malformed(f"expected an end, got {message['end']!r}")
    return ended
