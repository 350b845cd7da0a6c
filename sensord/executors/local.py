"""The executor for commands on this host: the daemon's side of the keeper, which it starts where none answers.

It holds what has been submitted or adopted and has not ended; when the keeper dies, it tells the next one all of that.
"""

import os
import select
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sensord.errors import SensordError
from sensord.executors import doorway, wire
from sensord.executors.base import Attempt, Ended, Forgotten, Job, News
from sensord.executors.launch import Launch, read_last_words
from sensord.executors.leash import Leash

_PATIENCE = 30.0  # seconds for the first keeper to answer
_FORGET = 25  # runs in one message: the keeper has other things to do in between
_TRIES = 3  # keepers in a row that may fail to answer


@dataclass(slots=True)
class _Open:
    """An attempt whose end has not been reported. `line`: its job, until it is known to be taken."""

    line: bytes | None = None
    signal: int | None = None


class LocalExecutor:
    """An `Executor`. Commands run as the daemon's user, with umask and limits of the daemon that started the keeper.

    state_dir: made with mode 0700 if it is not there. durable: without it, a power cut may forget what was taken and
    how it ended, and an attempt submitted just before may run twice; it counts when a keeper is started. boot_id: in
    place of the kernel's. Raises SensordError where no keeper can be started, here and in every method: what was
    submitted is kept all the same, and the next call tries again.
    """

    def __init__(self, state_dir: str | Path, *, durable: bool = True, boot_id: str | None = None) -> None:
        self._state = Path(state_dir).absolute()
        try:
            self._state.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._state_fd = doorway.open_folder(str(self._state))
        except OSError as error:
            raise SensordError(f"cannot use {self._state} as state folder: {error.strerror}") from error
        self._options = [f"--boot-id={boot_id}"] * bool(boot_id) + ["--no-sync"] * (not durable)
        self._open: dict[Attempt, _Open] = {}
        self._forgetting: dict[int, None] = {}
        self._leash: Leash | None = None
        self._reports: list[News] = []
        self._channel: wire.Channel | None = None
        self._launch: Launch | None = None
        self._keeper_pid: int | None = None
        self._failures = 0
        self._epoll = select.epoll()
        try:
            self._connect()
            self._wait_for_keeper()
        except BaseException:
            self.close()
            raise

    @property
    def keeper_pid(self) -> int | None:
        """The keeper that answers; None while there is none."""
        return self._keeper_pid

    def submit(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            line = wire.encode_job(job)
            self._open.setdefault(job.attempt, _Open()).line = line
            self._say(line)
        self._flush()

    def adopt(self, attempts: Sequence[Attempt]) -> None:
        """An attempt that nobody has taken here is reported as lost, and nothing is written of it: whoever submits it
        later has it started."""
        for attempt in attempts:
            self._adopt(attempt)
        self._flush()

    def kill(self, attempt: Attempt, signal: int) -> None:
        """The last signal is sent again where a keeper dies before the attempt ends, since it may have died with it."""
        if attempt not in self._open:
            self._adopt(attempt)
        self._open[attempt].signal = signal
        self._say(wire.encode("kill", attempt, signal=signal))
        self._flush()

    def let_out(self, leash: Leash) -> None:
        """Have commands ended, by the keeper alone if need be, unless this is called again in time. For workers."""
        self._leash = leash
        self._say(wire.encode("leash", until=leash.until, kill_at=leash.kill_at))
        self._flush()

    def forget(self, run_ids: Sequence[int]) -> None:
        """It is the keeper that deletes, since its journal knows of the runs."""
        self._forgetting |= dict.fromkeys(run_ids)
        for line in _forget_lines(run_ids):
            self._say(line)
        self._flush()

    def poll(self) -> list[News]:
        self._advance()
        reports, self._reports = self._reports, []
        return reports

    def fileno(self) -> int:
        return self._epoll.fileno()

    def close(self) -> None:
        if self._channel:
            self._channel.flush()
        self._hang_up()
        self._end_launch()
        self._epoll.close()
        if self._state_fd >= 0:
            os.close(self._state_fd)
            self._state_fd = -1

    def _adopt(self, attempt: Attempt) -> None:
        self._open.setdefault(attempt, _Open())
        self._say(wire.encode("adopt", attempt))

    def _say(self, line: bytes) -> None:
        """To the keeper that answers. While there is none it is not lost: see `_tell_all`."""
        if self._channel:
            self._channel.send(line)

    def _advance(self) -> None:
        """Whatever can be done without waiting."""
        if self._launch:
            self._hear_launch(self._launch)
        elif self._channel is None:
            self._connect()
        if self._channel:
            self._hear(self._channel)
        self._flush()

    def _hear(self, channel: wire.Channel) -> None:
        channel.receive()
        while (line := channel.next_line()) is not None:
            message = wire.decode(line)
            match message["what"]:
                case "began" | "ended" | "forgotten":
                    self._note(wire.decode_report(message))
                case "hello":
                    self._meet(message)
                case what:
                    raise SensordError(f"expected a report from the keeper, got {what}: {message.get('message')}")
        if channel.has_ended:
            channel.close()

    def _note(self, report: News) -> None:
        if isinstance(report, Forgotten):
            for run_id in (*report.run_ids, *report.kept):
                self._forgetting.pop(run_id, None)
        elif isinstance(report, Ended):
            self._open.pop(report.attempt, None)
        elif report.attempt in self._open:
            self._open[report.attempt].line = None
        self._reports.append(report)

    def _meet(self, hello: wire.Message) -> None:
        if hello.get("protocol") != wire.PROTOCOL:
            self._hang_up()
            raise SensordError(
                f"expected a keeper that speaks protocol {wire.PROTOCOL}, got {hello.get('protocol')} in {self._state}",
                hint=f"another version of sensord started it (pid {hello.get('pid')}); it ends with its last command",
            )
        self._keeper_pid = hello["pid"]
        self._failures = 0

    def _hang_up(self) -> None:
        if self._channel:
            self._channel.close()
            self._channel = None

    def _flush(self) -> None:
        """Send what the socket takes; have `fileno` wake us for the rest. A keeper that is gone gets a successor."""
        channel = self._channel
        if channel is None:
            return
        channel.flush()
        if channel.is_open:
            self._epoll.modify(channel, select.EPOLLIN | (select.EPOLLOUT if channel.has_more_to_send else 0))
            return
        self._channel = None
        if self._keeper_pid is None:
            self._fail()
        self._keeper_pid = None
        self._connect()

    def _connect(self) -> None:
        sock = doorway.connect(self._state_fd)
        if sock is None:
            self._start_keeper()
            return
        self._channel = wire.Channel(sock, most=sys.maxsize)
        self._epoll.register(self._channel, select.EPOLLIN | select.EPOLLOUT)
        self._tell_all(self._channel)

    def _tell_all(self, channel: wire.Channel) -> None:
        """All that has not ended, to a keeper that may know nothing of it: what is known to be taken is adopted, the
        rest submitted again."""
        if self._leash:
            channel.send(wire.encode("leash", until=self._leash.until, kill_at=self._leash.kill_at))
        for attempt, one in self._open.items():
            channel.send(one.line or wire.encode("adopt", attempt))
            if one.signal is not None:
                channel.send(wire.encode("kill", attempt, signal=one.signal))
        for line in _forget_lines(list(self._forgetting)):
            channel.send(line)

    def _start_keeper(self) -> None:
        """It is on its way when this returns; `fileno` is readable once it answers, or has failed."""
        try:
            self._launch = Launch(self._state, self._state_fd, self._options)
        except OSError as error:
            raise SensordError(f"cannot start a keeper for {self._state}: {error}") from error
        self._epoll.register(self._launch, select.EPOLLIN)

    def _hear_launch(self, launch: Launch) -> None:
        answer = launch.answer()
        if answer is None:
            return
        self._end_launch()
        if not answer or doorway.find(self._state_fd) is None:
            self._fail()
        self._connect()

    def _end_launch(self) -> None:
        if self._launch:
            self._epoll.unregister(self._launch)
            self._launch.close()
            self._launch = None

    def _fail(self) -> None:
        self._failures += 1
        if self._failures >= _TRIES:
            self._failures = 0
            words = read_last_words(self._state_fd)
            raise SensordError(f"no keeper answers in {self._state}", hint=words and f"its log ends with: {words}")

    def _wait_for_keeper(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        while self._keeper_pid is None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise SensordError(
                    f"the keeper in {self._state} is there, but does not answer", hint="is it stopped (SIGSTOP)?"
                )
            self._epoll.poll(left)
            self._advance()


def _forget_lines(run_ids: Sequence[int]) -> Iterator[bytes]:
    for start in range(0, len(run_ids), _FORGET):
        yield wire.encode("forget", runs=list(run_ids[start : start + _FORGET]))
