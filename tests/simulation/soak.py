"""The simulation for as long as one likes: `make soak`. All kinds of plays in turn, each time by other seeds.

SOAK_SEEDS: how many courses on SQLite; SOAK_MINUTES: how long at most; SOAK_FIRST: the first seed.
"""

import logging
import os
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from sensord.store import schema
from sensord.store.database import Database
from tests.postgres.binaries import find
from tests.postgres.cluster import Cluster
from tests.simulation.duets import prove_pair
from tests.simulation.plays import Tally, Theatre, prove, prove_pruned
from tests.simulation.shifts import prove_harsh, prove_mild
from tests.simulation.simulation import live_months

LAP, ON_POSTGRES, PAIRS, SHIFTS, PRUNED = 100, 10, 10, 10, 50
"""Courses on SQLite in one lap; with them so many on PostgreSQL, so many pairs, so many with workers that come to the
same, and that lose commands, so many that prune, and months on each."""

STEPS = 250
TOLD_EVERY = 60.0
"""Seconds."""


@dataclass
class Soak:
    """What there was so far. What fails is printed, with the command that replays it; the soak goes on."""

    folder: Path
    sqlite: Theatre
    postgres: Theatre
    urls: tuple[str, str]
    """For what opens its databases itself: on SQLite and on PostgreSQL. Whoever was connected before is cut off."""

    plays: dict[str, Tally] = field(default_factory=dict)
    failures: int = 0

    def lap(self, first: int, number: int) -> None:
        for seed in range(first, first + number):
            self._play("courses on SQLite", seed, partial(prove, self.sqlite))
        for seed in range(first, first + min(number, ON_POSTGRES)):
            self._play("courses on PostgreSQL", seed, partial(prove, self.postgres))
        for seed in range(first, first + min(number, PAIRS)):
            self._play("pairs", seed, partial(prove_pair, self.sqlite, self.urls[1], self.folder))
        for seed in range(first, first + min(number, PRUNED)):
            self._play("pruned courses", seed, partial(prove_pruned, self.sqlite))
        for seed in range(first, first + min(number, ON_POSTGRES)):
            self._play("pruned courses on PostgreSQL", seed, partial(prove_pruned, self.postgres))
        for seed in range(first, first + min(number, SHIFTS)):
            self._play("mild shifts", seed, partial(prove_mild, self.sqlite, self.urls[1], self.folder))
            self._play("harsh shifts", seed, partial(prove_harsh, self.urls[1], self.folder))
        for url in self.urls:
            self._play("months", first, partial(self._live, url))

    def _live(self, url: str, seed: int) -> Tally:
        """Nobody dies; the books are audited after every turn."""
        with TemporaryDirectory(dir=self.folder) as folder:
            return Tally(1, live_months(url, Path(folder), seed, STEPS))

    def _play(self, kind: str, seed: int, play: Callable[[int], Tally]) -> None:
        try:
            tally = play(seed)
        except Exception:  # noqa: BLE001 -- whatever fails, the rest goes on, and it is counted
            self.failures += 1
            print(f"{kind}, seed {seed}:\n{traceback.format_exc()}", flush=True)
            return
        self.plays.setdefault(kind, Tally()).add(tally)

    def tell(self) -> None:
        """All that there was, and at the end one line."""
        faults, events, outcomes = Counter[str](), Counter[str](), 0
        for kind, tally in self.plays.items():
            print(f"{kind}: {tally.courses:,}, with {tally.outcomes:,} outcomes, {sum(tally.faults.values()):,} faults")
            faults, events, outcomes = faults + tally.faults, events + tally.events, outcomes + tally.outcomes
        for title, counts in (("Faults", faults), ("What happened", events)):
            print(f"{title}:", *(f"  {number:>9,} {what}" for what, number in sorted(counts.items())), sep="\n")
        print(self.line(), flush=True)

    def line(self) -> str:
        number = {kind: tally.courses for kind, tally in self.plays.items()}
        total = Tally()
        for tally in self.plays.values():
            total.add(tally)
        return (
            f"soak: {', '.join(f'{count:,} {kind}' for kind, count in number.items())}; "
            f"{sum(total.faults.values()):,} faults, the lead taken {total.events['the lead was taken']:,} times, "
            f"{total.outcomes:,} outcomes audited; {self.failures} failed"
        )


def main() -> int:
    """The exit code: 1 where something failed."""
    logging.disable(logging.CRITICAL)
    first = int(os.environ.get("SOAK_FIRST") or time.time())
    seeds = int(os.environ.get("SOAK_SEEDS") or 10**12)
    minutes = float(os.environ.get("SOAK_MINUTES") or ("inf" if os.environ.get("SOAK_SEEDS") else 60))
    until = told_at = time.monotonic()
    until += minutes * 60
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="sensord-soak-")))
        cluster = stack.enter_context(Cluster(find()))
        lite = [f"sqlite://{folder / name}.db" for name in ("theatre", "months")]
        post = [cluster.url(cluster.create()) for _ in range(2)]
        for url in (*lite, *post):
            with Database.open(url) as db:
                schema.upgrade(db)
        soak = Soak(folder, Theatre(lite[0], folder), Theatre(post[0], folder), (lite[1], post[1]))
        print(f"soak: from seed {first}", flush=True)
        for seed in range(first, first + seeds, LAP):
            soak.lap(seed, min(LAP, first + seeds - seed))
            if time.monotonic() > until:
                break
            if time.monotonic() > told_at + TOLD_EVERY:
                told_at = time.monotonic()
                print(soak.line(), file=sys.stderr, flush=True)
        soak.tell()
        return 1 if soak.failures else 0


if __name__ == "__main__":
    sys.exit(main())
