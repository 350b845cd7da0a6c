"""What befalls the daemons, their keepers, the database and the files: drawn from a seed, before anything begins."""

from dataclasses import dataclass
from enum import StrEnum
from random import Random


class Kind(StrEnum):
    KILL_DAEMON = "daemon killed"
    END_DAEMON = "daemon told to stop"
    STOP_DAEMON = "daemon stopped for a while (SIGSTOP)"
    KILL_KEEPER = "keeper killed"
    STOP_KEEPER = "keeper stopped for a while (SIGSTOP)"
    DATABASE_AWAY = "database away for a while"
    EDIT = "flow edited"
    BREAK = "flow's file broken for a while"
    RENAME = "flow renamed"
    BREAK_SETTINGS = "sensord.toml broken for a while"


WEIGHTS = {
    Kind.KILL_DAEMON: 8,
    Kind.END_DAEMON: 3,
    Kind.STOP_DAEMON: 5,
    Kind.KILL_KEEPER: 2,
    Kind.STOP_KEEPER: 3,
    Kind.DATABASE_AWAY: 2,
    Kind.EDIT: 4,
    Kind.BREAK: 3,
    Kind.RENAME: 2,
    Kind.BREAK_SETTINGS: 1,
}
LONGEST = {
    Kind.KILL_DAEMON: 3.0,
    Kind.END_DAEMON: 2.0,
    Kind.STOP_DAEMON: 6.0,
    Kind.KILL_KEEPER: 0.0,
    Kind.STOP_KEEPER: 3.0,
    Kind.DATABASE_AWAY: 4.0,
    Kind.EDIT: 0.0,
    Kind.BREAK: 5.0,
    Kind.RENAME: 8.0,
    Kind.BREAK_SETTINGS: 2.0,
}
"""Seconds that it lasts, at most: until what was stopped goes on, and what was killed is started again."""


@dataclass(frozen=True, slots=True)
class Blow:
    """`at`: seconds after the beginning. `whom`: a number, to be taken modulo however many there are."""

    at: float
    kind: Kind
    lasts: float
    whom: int


def draw(seed: int, seconds: float, pause: float) -> list[Blow]:
    """Blows in order of time, `pause` seconds apart on the average; each kind at least once where there is time."""
    random = Random(seed)
    number = max(len(Kind), int(seconds / pause))
    kinds = [*Kind, *random.choices(list(WEIGHTS), list(WEIGHTS.values()), k=number - len(Kind))]
    random.shuffle(kinds)
    instants = sorted(random.uniform(0, seconds) for _ in kinds)
    return [
        Blow(at, kind, random.uniform(0, LONGEST[kind]), random.randrange(60))
        for at, kind in zip(instants, kinds, strict=True)
    ]
