"""Random flows: schedules that hardly line up, sensors with any policy, limits; as TOML files that come and go."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

T = TypeVar("T")

SCHEDULES = (
    'cron = "0 2 * * *"',
    'cron = "0 */6 * * *"',
    'cron = "30 3 * * 1-5"',
    'cron = "0 5 * * 0"',
    'cron = "15 4,16 * * *"\ntimezone = "Europe/Amsterdam"',
    'cron = "0 0 1,15 * *"\ntimezone = "America/New_York"',
    'every = "7h"\nstart = 2026-10-01T01:00:00Z',
)
SAME = 'match = "same"'
MAPPINGS = (
    "",
    SAME,
    'match = "latest"\nback = 1',
    'match = "latest"\ncount = 3',
    'match = "next"',
    'match = "interval"',
    'match = "interval"\nwithin = "2d"',
    'match = "interval"\nsince = "week"',
    'match = "overlap"',
    'match = "latest"\nalign = "day"\noffset = "-1d"',
)
POLICIES = ("wait", "fail", "skip", "proceed")
ACCEPTED = ('["success", "failed"]', '"finished"', '["failed"]', '["success", "skipped"]')


@dataclass
class Warehouse:
    """The flows `f0`, `f1`, ...: each watches flows before it, so that no circle can close, or its own last run."""

    random: Random
    names: list[str]
    rhythms: Sequence[str] = SCHEDULES
    most_active: Sequence[int] = (1, 2, 5)
    changes_pools: bool = True
    executors: Sequence[str] = ()
    ages: Sequence[str] = ()
    schedules: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    pools: dict[str, str] = field(default_factory=dict)

    def write(self, name: str, *, reschedule: bool = False) -> str:
        """A new text for the file of the flow."""
        if reschedule or name not in self.schedules:
            self.schedules[name] = self._pick(self.rhythms)
        place = self.names.index(name)
        number = self._pick((0, 1, 1, 2, 3)) if place else self._pick((0, 0, 1))
        pool = self._pick(("", "", "", "", 'pool = "small"', 'pool = "small"', 'pool = "other"'))
        if self.changes_pools or name not in self.pools:
            self.pools[name] = pool
        age = self._pick(self.ages) if self.ages else ""
        parts = [f"{age}[schedule]\n{self.schedules[name]}", *self._schedule(), *self._run(), self.pools[name]]
        self.texts[name] = "\n".join([*parts, *(self._sensor(place) for _ in range(number)), ""])
        return self.texts[name]

    def _schedule(self) -> list[str]:
        lines = []
        if self._happens(0.3):
            lines.append(f'catchup = "{self._pick(("all", "latest", "none"))}"')
        if self._happens(0.2):
            lines.append("catchup_limit = " + self._pick(("3", "40", '"2d"')))
        return lines

    def _run(self) -> list[str]:
        lines = [f'[run]\ncommand = ["true"]\nmax_active = {self._pick(self.most_active)}']
        lines.append(f"priority = {self._pick((0, 0, 5))}")
        if self.executors:
            lines.append(self._pick(self.executors))
        if self._happens(0.3):
            lines.append('retries = 2\nretry_delay = "3h"')
        if self._happens(0.2):
            lines.append('timeout = "9h"')
        return lines

    def _sensor(self, place: int) -> str:
        own = place == 0 or self._happens(0.15)
        upstream = self.names[place] if own else self._pick(self.names[:place])
        mapping = MAPPINGS[2] if own else self._pick(MAPPINGS)
        if mapping == SAME and self.schedules[upstream] != self.schedules[self.names[place]]:
            mapping = self._pick(("", "", SAME))  # finds nothing, most often
        lines = ["[[sensors]]", f'upstream = "{upstream}"', mapping]
        if self._happens(0.35):
            lines.append("require = " + self._pick(('"any"', "2")))
        if self._happens(0.25):
            lines.append(f"accept = {self._pick(ACCEPTED)}")
        named = [key for key in ("on_failure", "on_skipped", "on_missing") if self._happens(0.5)]
        lines += [f'{key} = "{self._pick(POLICIES)}"' for key in named]
        if self._happens(0.3):
            lines.append(f'timeout = "{self._pick(("5h", "2d"))}"\non_timeout = "{self._pick(POLICIES[1:])}"')
        return "\n".join(lines)

    def _pick(self, values: Sequence[T]) -> T:
        return values[self.random.randrange(len(values))]

    def _happens(self, chance: float) -> bool:
        return self.random.random() < chance
