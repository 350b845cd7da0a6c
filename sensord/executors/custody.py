"""The attempts in a keeper's care, from the taking to the recorded end. Knows files and processes, but no socket.

One pass: take, look and kill as often as asked, `reap`, `record` what was taken and has ended, `sync` that at once,
`start` what was taken. `collect` gives what there is to tell: an end once it is on record, also before the sync. So
nothing starts before its taking is on the disk, and with it every end that was told before.
"""

import os
import resource
import select
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sensord.clock import Clock, boot_seconds
from sensord.executors import command, processes
from sensord.executors.base import Attempt, Began, Ended, Forgotten, Job, News, Report
from sensord.executors.inquiry import Inquiry, Over, Runs, Unsettled, end_by_status
from sensord.executors.journal import Journal, ended_line, forgotten_line, taken_line
from sensord.executors.leash import Leash
from sensord.executors.ledger import Ledger
from sensord.executors.processes import Process

AGAIN = 0.1
"""Seconds until another look where nothing will wake us: another keeper's attempt, or a disk that took no write."""


_NOT_LET_OUT = "it was not started, since its worker could not reach the database for too long"


class Watcher(Protocol):
    """Somebody to tell, line by line; nobody once it is closed."""

    @property
    def is_open(self) -> bool: ...

    def send(self, line: bytes) -> None: ...


@dataclass(slots=True, eq=False)
class Live:
    """An attempt that has not ended, or whose end is not yet on the disk. `pidfd`: where it is not our child.

    `is_recorded`: its end is in the record, and not yet in the journal. `cut_by`: the signal that the leash has sent.
    """

    attempt: Attempt
    watchers: list[Watcher] = field(default_factory=list)
    process: Process | None = None
    began_at: datetime | None = None
    pidfd: int | None = None
    is_recorded: bool = False
    cut_by: int | None = None


class Custody:
    def __init__(
        self, ledger: Ledger, journal: Journal | None, *, boot: str, clock: Clock, log: Callable[[str], None]
    ) -> None:
        self._ledger, self._journal, self._boot, self._clock, self._log = ledger, journal, boot, clock, log
        self._last_complaint = ""
        self._me = processes.identify(os.getpid())
        self._inquiry = Inquiry(ledger, me=self._me, boot=boot, clock=clock)
        self._live: dict[Attempt, Live] = {}
        self._children: dict[int, Live] = {}
        self._watched: dict[int, Live] = {}
        self._epoll = select.epoll()
        self._most_watched = resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2
        self._unsettled: list[Live] = []
        self._taken: list[tuple[Live, Job, int]] = []
        self._ending: list[tuple[Live, Ended]] = []
        self._lines: list[bytes] = []
        self._reports: list[tuple[Watcher, News]] = []
        self._is_failing = False
        self._leash: Leash | None = None

    @property
    def is_empty(self) -> bool:
        return not self._live

    @property
    def pause(self) -> float | None:
        """Seconds until the next pass is due though nothing happens; None where none is."""
        if self._taken or (self._ending and not self._is_failing):
            return 0.0
        is_behind = self._journal is not None and not self._journal.is_synced
        if self._ending or self._unsettled or is_behind:
            return AGAIN
        return self._leash.pause(boot_seconds()) if self._leash and self._live else None

    def fileno(self) -> int:
        """Readable when a command ends that is not our child. (For our children there is SIGCHLD.)"""
        return self._epoll.fileno()

    def take(self, job: Job, watcher: Watcher) -> None:
        """Take the attempt, to be started after the next sync; where it was taken before, only look at it."""
        fd = self._take(job.attempt, watcher)
        if fd is not None:
            self._taken.append((self._live[job.attempt], job, fd))

    def refuse(self, attempt: Attempt, message: str, watcher: Watcher) -> None:
        """Take the attempt and end it as one that cannot be started."""
        fd = self._take(attempt, watcher)
        if fd is not None:
            os.close(fd)
            self._end(self._live[attempt], problem="not_started", message=message)

    def look(self, attempt: Attempt, watcher: Watcher | None) -> None:
        """Tell the watcher what has become of the attempt, and go on telling."""
        live = self._live.get(attempt)
        if live is None:
            live = Live(attempt, [watcher] if watcher else [])
            self._live[attempt] = live
            self._examine(live)
        elif watcher:
            live.watchers = [one for one in live.watchers if one.is_open and one is not watcher] + [watcher]
            if live.process and live.began_at:
                self._reports.append((watcher, Began(attempt, live.process.pid, live.began_at)))

    def kill(self, attempt: Attempt, number: int) -> None:
        """Signal the command's process group, also where the attempt was taken a moment ago; nothing once it ended."""
        if any(live.attempt == attempt for live, _, _ in self._taken):
            self.record()
            self.sync()
            self.start()
        self.look(attempt, None)
        if live := self._live.get(attempt):
            self._signal(live, number)

    def let_out(self, leash: Leash) -> None:
        """From now on commands go on until it is due, unless it is let out again."""
        self._leash = leash

    def pull(self) -> None:
        """End what has not been let out in time, whoever started it."""
        number = self._leash.due(boot_seconds()) if self._leash else None
        if number is None:
            return
        for live in self._live.values():
            if live.process and live.cut_by != number:
                if live.cut_by is None:
                    self._log(f"{live.attempt} is ended: the worker was out of reach, or without its database")
                live.cut_by = number
                self._signal(live, number)

    def _signal(self, live: Live, number: int) -> None:
        if live.process is None:
            return
        # A child's pid is its own until we reap it; any other may already be somebody else's.
        if self._children.get(live.process.pid) is live or processes.is_running(live.process):
            try:
                os.killpg(live.process.pid, number)
            except OSError as error:
                self._complain(f"cannot send signal {number} to {live.attempt}: {error.strerror}")

    def forget(self, run_ids: Sequence[int], watcher: Watcher) -> None:
        """Delete what is kept of these runs; the disk must not bring it back after a power cut."""
        live = {attempt.run_id for attempt in self._live}
        gone = tuple(run_id for run_id in run_ids if run_id not in live)
        try:
            if gone and self._journal:
                self._journal.append([forgotten_line(run_id) for run_id in gone])
                self._journal.sync()
        except OSError as error:  # it may be full, which is all the more reason to go on
            self._complain(f"cannot record what is forgotten: {error.strerror}")
        for run_id in gone:
            try:
                self._ledger.forget(run_id)
            except OSError as error:
                self._complain(f"cannot delete all of run {run_id}: {error.strerror}")
        kept = tuple(run_id for run_id in run_ids if run_id in live)
        self._reports.append((watcher, Forgotten(gone, kept)))

    def reap(self) -> None:
        """Note every command that has ended, our children and others, and ask again about what is unsettled."""
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            live = self._children.pop(pid)
            self._ending.append((live, end_by_status(live.attempt, self._clock.now(), status)))
        unsettled, self._unsettled = self._unsettled, []
        for fd, _ in self._epoll.poll(0):
            self._epoll.unregister(fd)
            unsettled.append(self._watched.pop(fd))
        for live in unsettled:
            self._examine(live)

    def record(self) -> None:
        """Write down what was taken and what has ended; then an end may be told."""
        ending, self._ending = [(live, _as_cut(live, ended)) for live, ended in self._ending], []
        lines, self._lines = self._lines, []
        try:
            for live, ended in ending:
                if not live.is_recorded:
                    self._ledger.write_end(ended)
                    live.is_recorded = True
                lines.append(ended_line(ended))
            if lines and self._journal:
                self._journal.append(lines)
        except OSError as error:
            self._complain(f"cannot record: {error.strerror}")
            self._is_failing = True
            self._ending = ending
            self._give_up_taken(f"cannot record the attempt: {error.strerror}")
            return
        self._is_failing = False
        for live, ended in ending:
            self._let_go(live, ended)

    def sync(self) -> None:
        """Put on the disk what was written down; then what was taken may start."""
        try:
            if self._journal and not self._journal.is_synced:
                self._journal.sync()
        except OSError as error:
            self._complain(f"cannot record: {error.strerror}")
            self._give_up_taken(f"cannot record the attempt: {error.strerror}")

    def start(self) -> None:
        """Start the commands of the attempts that the last sync covers; but none once the leash is out: who was stopped
        before it submitted may wake up when the attempt has been given up.
        """
        taken, self._taken = self._taken, []
        is_out = taken and self._leash is not None and self._leash.due(boot_seconds()) is not None
        for live, job, log_fd in taken:
            try:
                if is_out:
                    self._end(live, problem="lost", message=_NOT_LET_OUT)
                else:
                    self._start(live, job, log_fd)
            except command.NotStarted as error:
                self._end(live, problem="not_started", message=str(error))
            finally:
                os.close(log_fd)

    def collect(self) -> list[tuple[Watcher, News]]:
        """What there is to tell, and whom, in order."""
        reports, self._reports = self._reports, []
        return reports

    def _take(self, attempt: Attempt, watcher: Watcher) -> int | None:
        try:
            fd = self._take_named(attempt)
        except OSError as error:  # not taken, so nothing is recorded: a later submit may do better
            message = f"cannot take the attempt: {error.strerror}"
            ended = Ended(attempt, self._clock.now(), problem="not_started", message=message)
            self._reports.append((watcher, ended))
            return None
        if fd is None:
            self.look(attempt, watcher)
            return None
        self._live[attempt] = Live(attempt, [watcher])
        self._lines.append(taken_line(attempt))
        return fd

    def _take_named(self, attempt: Attempt) -> int | None:
        """Take it and say so in the record; or neither."""
        fd = self._ledger.take(attempt)
        if fd is None:
            return None
        try:
            self._ledger.write_taker(attempt, self._boot, self._me)
        except OSError:
            os.close(fd)
            self._ledger.give_back(attempt)
            raise
        return fd

    def _start(self, live: Live, job: Job, log_fd: int) -> None:
        pid = command.start(job, log_fd)
        live.process, live.began_at = processes.identify(pid), self._clock.now()
        self._children[pid] = live
        try:
            self._ledger.write_process(job.attempt, live.process, live.began_at)
        except OSError as error:  # its log still leads to it
            self._complain(f"cannot note down pid {pid} of {job.attempt}: {error.strerror}")
        self._tell(live, Began(job.attempt, pid, live.began_at))

    def _give_up_taken(self, message: str) -> None:
        """What could not be recorded must not start: after a power cut it might start again."""
        taken, self._taken = self._taken, []
        for live, _, log_fd in taken:
            os.close(log_fd)
            self._end(live, problem="not_started", message=message)

    def _examine(self, live: Live) -> None:
        """An attempt that we did not start: it runs, and is watched; or it is over; or it must be asked about again."""
        try:
            finding = self._inquiry.examine(live.attempt, live.pidfd)
        except OSError as error:
            self._complain(f"cannot tell what has become of {live.attempt}: {error}")
            finding = Unsettled()
        match finding:
            case Runs(process, began_at):
                if live.process is None:
                    live.process, live.began_at = process, began_at
                    self._tell(live, Began(live.attempt, process.pid, began_at))
                self._watch(live, process)
            case Over(ended, is_recorded=True):
                self._let_go(live, ended)
            case Over(ended):
                self._ending.append((live, ended))
            case Unsettled():
                self._unsettled.append(live)

    def _watch(self, live: Live, process: Process) -> None:
        """By a descriptor; what has just ended, or is one too many, is asked about again and again instead."""
        if len(self._watched) >= self._most_watched:
            self._unsettled.append(live)
            return
        try:
            live.pidfd = os.pidfd_open(process.pid)
        except OSError:
            self._unsettled.append(live)
            return
        self._epoll.register(live.pidfd, select.EPOLLIN)
        self._watched[live.pidfd] = live

    def _complain(self, message: str) -> None:
        """What fails again and again, every tenth of a second, is worth one line."""
        if message != self._last_complaint:
            self._log(message)
        self._last_complaint = message

    def _let_go(self, live: Live, ended: Ended) -> None:
        self._live.pop(live.attempt, None)
        if live.pidfd is not None:
            os.close(live.pidfd)
        self._tell(live, ended)

    def _end(self, live: Live, *, problem: str, message: str) -> None:
        self._ending.append((live, Ended(live.attempt, self._clock.now(), problem=problem, message=message)))

    def _tell(self, live: Live, report: Report) -> None:
        self._reports += [(watcher, report) for watcher in live.watchers if watcher.is_open]


def _as_cut(live: Live, ended: Ended) -> Ended:
    """However a command took the end that the leash put to it: it was not let finish."""
    if live.cut_by is None:
        return ended
    message = "it was ended where it ran, since its worker could not reach the database for too long"
    return Ended(ended.attempt, ended.at, problem="lost", message=message)
