"""The keeper hears all kinds of nonsense, and serves on; and it bounds what it keeps for those who do not listen."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sensord.executors import doorway, wire
from sensord.executors.base import Attempt
from tests.executors.conftest import OpenLocal
from tests.executors.test_local import keeper_of
from tests.executors.watch import PATIENCE, Watch, shell, wait_readable

FIRST = Attempt(1, 1)


class Visitor:
    """Speaks to the keeper in bytes."""

    def __init__(self, state: Path) -> None:
        state_fd = doorway.open_folder(str(state))
        sock = doorway.connect(state_fd)
        os.close(state_fd)
        assert sock
        self.sock = sock
        self.sock.settimeout(PATIENCE)
        self._lines = self.sock.makefile("rb")
        assert self.hear()["what"] == "hello"

    def say(self, words: bytes) -> None:
        self.sock.sendall(words)

    def hear(self) -> dict[str, Any]:
        message = json.loads(self._lines.readline())
        assert isinstance(message, dict)
        return message

    def close(self) -> None:
        self._lines.close()
        self.sock.close()


@pytest.fixture
def daemon(open_local: OpenLocal) -> Watch:
    return open_local()


@pytest.fixture
def visitor(state: Path, daemon: Watch) -> Iterator[Visitor]:
    assert keeper_of(daemon)
    one = Visitor(state)
    yield one
    one.close()


def submit(**changes: object) -> bytes:
    fields: dict[str, object] = {"run": 9, "attempt": 1, "argv": ["/bin/true"], "cwd": "/", "env": {}, **changes}
    return json.dumps({"what": "submit", **fields}).encode()


NONSENSE = [
    b"",
    b"\0\xff\xfe",
    b"{",
    b"[" * 100_000,
    b"[]",
    b"null",
    b"{}",
    b'{"what": 1}',
    b'{"what": "dance"}',
    b'{"what": "adopt"}',
    b'{"what": "adopt", "run": 1}',
    b'{"what": "adopt", "run": 1, "attempt": 1.5}',
    b'{"what": "adopt", "run": true, "attempt": 1}',
    b'{"what": "adopt", "run": -1, "attempt": 1}',
    b'{"what": "adopt", "run": 9223372036854775808, "attempt": 1}',
    b'{"what": "adopt", "run": "../../etc", "attempt": 1}',
    b'{"what": "kill", "run": 1, "attempt": 1}',
    b'{"what": "kill", "run": 1, "attempt": 1, "signal": 0}',
    b'{"what": "kill", "run": 1, "attempt": 1, "signal": 9999}',
    b'{"what": "refuse"}',
    b'{"what": "forget"}',
    b'{"what": "forget", "runs": 1}',
    b'{"what": "forget", "runs": ["../../etc"]}',
    b'{"what": "forget", "runs": [-1]}',
    submit(run=None),
    submit(argv=[]),
    submit(argv="/bin/true"),
    submit(argv=["/bin/true", 1]),
    submit(cwd=None),
    submit(env=[]),
    submit(env={"A": 1}),
]


@pytest.mark.parametrize("words", NONSENSE, ids=lambda words: words[:60].decode(errors="replace"))
def test_nonsense_is_refused_and_what_follows_is_heard(visitor: Visitor, words: bytes) -> None:
    visitor.say(words + b"\n" + submit() + b"\n")

    answers = [visitor.hear() for _ in range(3)]

    assert [answer["what"] for answer in answers] == ["error", "began", "ended"]
    assert "expected" in answers[0]["message"]


@pytest.mark.parametrize(
    "odd",
    [
        {"argv": ["a\0b"]},
        {"argv": [""]},
        {"argv": ["/bin/true"], "cwd": ""},
        {"argv": ["/bin/true"], "cwd": "a\0b"},
        {"argv": ["/bin/true"], "env": {"A=B": "1"}},
        {"argv": ["/bin/true"], "env": {"A": "\0"}},
        {"argv": ["/bin/true", "\ud800"]},
        {"argv": ["true"], "env": {"PATH": "\0"}},
        {"argv": ["x" * 10_000]},
    ],
    ids=str,
)
def test_what_no_system_could_start_is_not_started(visitor: Visitor, odd: dict[str, object]) -> None:
    visitor.say(submit(**odd) + b"\n")

    answer = visitor.hear()

    assert answer["what"] == "ended"
    assert json.loads(answer["end"])["problem"] == "not_started"


def test_a_refused_attempt_stays_refused(visitor: Visitor) -> None:
    visitor.say(wire.encode("refuse", FIRST, message="too long"))
    refused = visitor.hear()

    visitor.say(submit(run=1) + b"\n")

    assert visitor.hear() == refused
    assert {"problem": "not_started", "message": "too long"}.items() <= json.loads(refused["end"]).items()


def test_a_line_may_come_in_pieces(visitor: Visitor) -> None:
    line = submit() + b"\n"
    for start in range(0, len(line), 7):
        visitor.say(line[start : start + 7])

    assert [visitor.hear()["what"], visitor.hear()["what"]] == ["began", "ended"]


def test_half_a_line_of_one_who_left_is_nothing(visitor: Visitor, daemon: Watch) -> None:
    visitor.say(submit(run=1)[:-5])
    visitor.close()

    daemon.adopt(FIRST)

    assert daemon.wait_ended(FIRST).problem == "lost"


def test_what_one_said_before_leaving_is_done(state: Path, daemon: Watch, tmp_path: Path) -> None:
    visitor = Visitor(state)
    os.mkfifo(tmp_path / "fifo")
    reader = os.open(tmp_path / "fifo", os.O_RDWR)
    job = ["/bin/sh", "-c", f"echo >> '{tmp_path}/fifo'"]

    visitor.say(b"".join(submit(run=run_id, argv=job) + b"\n" for run_id in range(1, 101)))
    visitor.close()

    heard = 0
    while heard < 100:
        wait_readable(reader)
        heard += len(os.read(reader, 100))
    os.close(reader)
    daemon.submit(*(shell(Attempt(run_id, 1), "exit 1") for run_id in range(1, 101)))
    ended = daemon.wait_all_ended([Attempt(run_id, 1) for run_id in range(1, 101)])
    assert {one.exit_code for one in ended.values()} == {0}


def test_one_who_talks_without_end_is_cut_off(visitor: Visitor, daemon: Watch) -> None:
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        visitor.say(b"x" * 2 * wire.LONGEST_LINE)

    daemon.submit(shell(FIRST, "exit 1"))
    assert daemon.wait_ended(FIRST).exit_code == 1


class TestChannel:
    def test_who_does_not_listen_is_given_up(self) -> None:
        ours, theirs = socket.socketpair()
        channel = wire.Channel(ours, most=1_000_000)
        line = wire.encode("adopt", FIRST) * 1000

        sent = 0
        while channel.is_open:
            channel.send(line)
            channel.flush()
            sent += len(line)

        assert 1_000_000 < sent < 3_000_000
        theirs.close()

    def test_who_listens_late_gets_all_in_order(self) -> None:
        ours, theirs = socket.socketpair()
        sender, receiver = wire.Channel(ours), wire.Channel(theirs)
        lines = [wire.encode("adopt", Attempt(number, 1)) for number in range(20_000)]
        for line in lines:
            sender.send(line)

        got: list[bytes] = []
        while sender.has_more_to_send:
            sender.flush()
            receiver.receive()
            while (line_or_none := receiver.next_line()) is not None:
                got.append(line_or_none + b"\n")
        sender.close()
        receiver.close()

        assert got == lines

    def test_who_has_gone_has_ended(self) -> None:
        ours, theirs = socket.socketpair()
        channel = wire.Channel(ours)
        theirs.close()

        channel.receive()
        channel.send(b"anybody there?\n")
        channel.flush()

        assert channel.has_ended
        assert not channel.has_more_to_send
        channel.close()

    def test_what_somebody_said_before_going_is_still_there(self) -> None:
        ours, theirs = socket.socketpair()
        channel = wire.Channel(ours)
        theirs.sendall(b"farewell\n")
        theirs.close()

        channel.send(b"anybody there?\n")
        channel.flush()
        channel.receive()

        assert channel.next_line() == b"farewell"
        channel.close()
