"""What the daemon asks of an executor, which knows attempts and processes, but no flow, schedule or database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, order=True)
class Attempt:
    """One try at one run: the key of everything an executor does. `number` counts from 1."""

    run_id: int
    number: int


@dataclass(frozen=True, slots=True)
class Account:
    """The ids that a command gets: a user, its group, and all groups that it is in."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """A command to start, complete: nothing is added to `env`. `argv` is never empty.

    account: None starts it as whoever runs the executor. refusal: why it must not start at all; then the attempt is
    taken, and ends as `not_started` with these words.
    """

    attempt: Attempt
    argv: tuple[str, ...]
    cwd: str
    env: Mapping[str, str] = field(default_factory=dict)
    account: Account | None = None
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class Began:
    """The command runs."""

    attempt: Attempt
    pid: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Ended:
    """The attempt is over, for good. Exactly one of the three says how.

    exit_code: the command's own; signal: the number of the one that killed it; problem: why there is no exit status
    ("not_started": the command could not be started, with the system's words in `message`; "lost": nobody saw its end).
    """

    attempt: Attempt
    at: datetime
    exit_code: int | None = None
    signal: int | None = None
    problem: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was kept of these runs is gone. `kept`: those of which an attempt is still under way; nothing was done."""

    run_ids: tuple[int, ...]
    kept: tuple[int, ...] = ()


Report = Began | Ended
News = Report | Forgotten


class Executor(Protocol):
    """Starts commands and reports on them; survives the daemon's death as far as its kind allows."""

    def submit(self, jobs: Sequence[Job]) -> None:
        """Start each command; where the attempt was taken before, only report on it. Never waits for a command."""
        ...

    def adopt(self, attempts: Sequence[Attempt]) -> None:
        """After a restart: report again on attempts that an earlier daemon submitted: what has become of each.

        What nobody ever took is reported as lost, but nothing is recorded: who submits it later has it started.
        """
        ...

    def poll(self) -> list[News]:
        """What has happened since the last call, in order; empty where nothing has. Never blocks.

        A report may come twice (the daemon's compare-and-set drops the second), and is never left out.
        """
        ...

    def fileno(self) -> int:
        """A file descriptor that is readable whenever `poll` has something to report, or to do."""
        ...

    def kill(self, attempt: Attempt, signal: int) -> None:
        """Send `signal` to the attempt's whole process group; nothing where it has ended."""
        ...

    def forget(self, run_ids: Sequence[int]) -> None:
        """Delete the logs and all else that is kept of these runs, now or soon. It may be repeated.

        Every run is reported, in one Forgotten or several, also one that nothing was kept of. An attempt of it that is
        submitted or adopted later is one that nobody ever took: whoever asks sees to it that none is.
        """
        ...

    def close(self) -> None:
        """Let go. Commands that still run go on, for the next daemon to adopt."""
        ...
