"""The life of a run as a value: its states, what moves it from one to another, and why it stands where it stands.

Knows nothing of the database; the store writes `state` only where `TRANSITIONS` allows it (compare-and-set).
"""

from enum import IntEnum, StrEnum


class State(IntEnum):
    """The number is what the database holds; a set of states is a mask with bit `1 << state`.

    ABSENT is no state of a run: it stands for "no run yet" where an upstream's state is asked for.
    """

    ABSENT = 0
    WAITING = 1
    QUEUED = 2
    STARTING = 3
    RUNNING = 4
    RETRYING = 5
    SUCCESS = 6
    FAILED = 7
    SKIPPED = 8
    CANCELLED = 9

    @property
    def label(self) -> str:
        return self.name.lower()


FINAL = frozenset({State.SUCCESS, State.FAILED, State.SKIPPED, State.CANCELLED})
ACTIVE = frozenset({State.STARTING, State.RUNNING, State.RETRYING})
LIVE = frozenset(State) - FINAL - {State.ABSENT}


class Kind(IntEnum):
    SCHEDULED = 0
    MANUAL = 1
    BACKFILL = 2

    @property
    def label(self) -> str:
        return self.name.lower()


class BackfillState(IntEnum):
    """The number is what the database holds. A cancelled one has ended when the last of its commands has."""

    RUNNING = 1
    PAUSED = 2
    CANCELLED = 3
    DONE = 4

    @property
    def label(self) -> str:
        return self.name.lower()


class Reason(StrEnum):
    """Why a run is in its state. A run that succeeded needs none."""

    EXIT_CODE = "exit_code"
    SIGNAL = "signal"
    TIMED_OUT = "timed_out"
    NOT_STARTED = "not_started"
    LOST = "lost"
    UPSTREAM_FAILED = "upstream_failed"
    UPSTREAM_SKIPPED = "upstream_skipped"
    SENSOR_TIMEOUT = "sensor_timeout"
    NO_MATCH = "no_match"
    MAPPING_ERROR = "mapping_error"
    FLOW_RETIRED = "flow_retired"
    BY_OPERATOR = "by_operator"


class Event(StrEnum):
    """What can happen to a run."""

    RELEASE = "release"
    DISPATCH = "dispatch"
    BEGIN = "begin"
    SUCCEED = "succeed"
    FAIL = "fail"
    SKIP = "skip"
    RETRY = "retry"
    REQUEUE = "requeue"
    CANCEL = "cancel"
    MARK = "mark"
    RERUN = "rerun"


_BUSY = frozenset({State.STARTING, State.RUNNING})
_EXISTING = frozenset(State) - {State.ABSENT}

TRANSITIONS: dict[Event, tuple[frozenset[State], frozenset[State]]] = {
    Event.RELEASE: (frozenset({State.WAITING}), frozenset({State.QUEUED})),
    Event.DISPATCH: (frozenset({State.QUEUED}), frozenset({State.STARTING})),
    Event.BEGIN: (frozenset({State.STARTING}), frozenset({State.RUNNING})),
    Event.SUCCEED: (_BUSY, frozenset({State.SUCCESS})),
    Event.FAIL: (_BUSY | {State.WAITING}, frozenset({State.FAILED})),
    Event.SKIP: (_BUSY | {State.WAITING}, frozenset({State.SKIPPED})),
    Event.RETRY: (_BUSY, frozenset({State.RETRYING})),
    Event.REQUEUE: (frozenset({State.RETRYING}), frozenset({State.QUEUED})),
    Event.CANCEL: (_EXISTING - {State.CANCELLED}, frozenset({State.CANCELLED})),
    Event.MARK: (_EXISTING, FINAL),
    Event.RERUN: (FINAL, frozenset({State.WAITING})),
}
"""Event -> (the states it may start from, the states it may lead to), as docs/concepts.md draws it."""


def mask(states: "frozenset[State] | set[State]") -> int:
    """The set of states as an integer: bit `1 << state` for each."""
    return sum(1 << state for state in states)


def may(event: Event, old: State, new: State) -> bool:
    """Whether `event` takes a run from `old` to `new`."""
    sources, targets = TRANSITIONS[event]
    return old in sources and new in targets
