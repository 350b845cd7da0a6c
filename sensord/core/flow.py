"""A flow as a value: what is run, when, and what each of its runs waits for.

Made by `sensord.config` from a file or from a stored body; knows neither, and decides nothing.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sensord.core.duration import Duration
from sensord.core.mapping import Mapping
from sensord.core.mapping import Require as Require
from sensord.core.params import Param
from sensord.core.retry import Retry
from sensord.core.run import State
from sensord.core.schedule import Schedule
from sensord.core.template import Text


class Policy(StrEnum):
    """What becomes of a run whose sensor cannot be satisfied for the reason that the policy speaks of."""

    WAIT = "wait"
    FAIL = "fail"
    SKIP = "skip"
    PROCEED = "proceed"


class First(StrEnum):
    """Where a new flow without a written start begins: with its last tick before activation, or with the next."""

    LAST = "last"
    NEXT = "next"


class Catchup(StrEnum):
    """Which missed ticks are run: all of them, the newest, or none."""

    ALL = "all"
    LATEST = "latest"
    NONE = "none"


SUCCESS_ONLY = frozenset({State.SUCCESS})

ONE_TRY = Retry()


@dataclass(frozen=True, slots=True)
class Sensor:
    """A condition of each run on the runs of `upstream`. `index` counts the flow's sensors from 0, in file order.

    require: how many of the mapped runs must be accepted. accept: final states only, never empty.
    timeout: None waits without a deadline.
    """

    index: int
    upstream: str
    mapping: Mapping
    require: Require = "all"
    accept: frozenset[State] = SUCCESS_ONLY
    on_failure: Policy = Policy.WAIT
    on_skipped: Policy = Policy.SKIP
    on_missing: Policy = Policy.FAIL
    timeout: Duration | None = None
    on_timeout: Policy = Policy.FAIL


@dataclass(frozen=True, slots=True)
class Command:
    """What a run executes: exactly one of `argv` (never empty) and `shell_text` (for `/bin/sh -c`) is set.

    env: (name, value) pairs in order of name. params: the same, those that the templates need.
    pass_env: names of the daemon's own variables that the command sees too.
    cwd: a folder, relative to the config folder unless absolute. user: None runs as the daemon's.
    """

    argv: tuple[Text, ...] | None = None
    shell_text: Text | None = None
    env: tuple[tuple[str, Text], ...] = ()
    params: tuple[tuple[str, Param], ...] = ()
    pass_env: tuple[str, ...] = ()
    cwd: str = "."
    user: str | None = None


@dataclass(frozen=True, slots=True)
class Flow:
    """One flow. `follow` names the flow whose ticks it takes; `schedule` has them already.

    max_active: how many of its runs may be under way at once, at least 1. priority: the higher goes first.
    pool: whose slots its runs take besides the executor's. executor: "local" or "procrastinate", None for the default;
    queue: from which workers take its runs, None for the default.
    timeout: how long a command may run, None for ever; `grace` passes between SIGTERM and SIGKILL.
    catchup_limit: how many missed ticks are run at most, or how old ones; None: no limit. With `Catchup.NONE` those run
    that are younger than `late_limit`.
    retention: how long more than the outcome of its runs is kept; None: as long as that of any flow.
    """

    name: str
    schedule: Schedule
    command: Command
    sensors: tuple[Sensor, ...] = ()
    description: str | None = None
    owner: str | None = None
    tags: tuple[str, ...] = ()
    follow: str | None = None
    first: First = First.LAST
    catchup: Catchup = Catchup.ALL
    catchup_limit: int | timedelta | None = None
    late_limit: timedelta = timedelta(minutes=1)
    max_active: int = 1
    priority: int = 0
    pool: str | None = None
    executor: str | None = None
    queue: str | None = None
    retry: Retry = ONE_TRY
    timeout: timedelta | None = None
    grace: timedelta = timedelta(seconds=10)
    retention: timedelta | None = None

    @property
    def upstreams(self) -> frozenset[str]:
        """The names of the flows that its sensors watch."""
        return frozenset(sensor.upstream for sensor in self.sensors)

    @property
    def may_skip(self) -> bool:
        """Whether its catchup can pass over ticks, for which there is then no run."""
        return self.catchup is not Catchup.ALL or self.catchup_limit is not None
