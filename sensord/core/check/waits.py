"""Which runs of a few flows can never start, since each waits for another of them: a least fixpoint over their ticks.

A run is settled once each of its sensors has as many settled dates as it needs; what lies outside the horizon, or in
other flows, is taken as settled. Who is left over waits for itself, or for one that does.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

Tick = tuple[int, int]
"""A flow's number, and a logical date in microseconds."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A sensor of one run: it needs `need` of the ticks in `dates`."""

    run: Tick
    need: int
    dates: tuple[Tick, ...]


def find_stuck(runs: Iterable[Tick], gates: Iterable[Gate]) -> dict[Tick, list[Tick]]:
    """The runs that never start, each with the stuck ones that it waits for.

    A date that is no run counts as settled, unless its gate keeps it: give only dates that are to be waited for.
    """
    shut: dict[Tick, int] = dict.fromkeys(runs, 0)
    waiting: dict[Tick, list[int]] = {}
    needs: list[int] = []
    kept: list[Gate] = []
    for gate in gates:
        inside = [date for date in gate.dates if date in shut]
        need = gate.need - (len(gate.dates) - len(inside))
        if need <= 0:
            continue
        for date in inside:
            waiting.setdefault(date, []).append(len(needs))
        needs.append(need)
        kept.append(gate)
        shut[gate.run] += 1
    queue = deque(run for run, number in shut.items() if not number)
    for run in queue:
        del shut[run]
    while queue:
        for index in waiting.get(queue.popleft(), ()):
            needs[index] -= 1
            if needs[index] == 0:
                run = kept[index].run
                shut[run] -= 1
                if not shut[run]:
                    del shut[run]
                    queue.append(run)
    stuck: dict[Tick, list[Tick]] = {run: [] for run in shut}
    for gate, need in zip(kept, needs, strict=True):
        if need > 0:
            stuck[gate.run] += [date for date in gate.dates if date in stuck]
    return stuck
