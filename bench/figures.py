"""Figures: measured as medians of several rounds, shown as a table, kept as JSON."""

import json
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `floor` is what the same work costs without sensord, in the same unit."""

    name: str
    value: float
    unit: str
    floor: float | None = None
    floor_name: str = ""
    target: str = ""

    @property
    def ratio(self) -> float | None:
        return None if self.floor is None else self.value / self.floor


def median_seconds(work: Callable[[], object], rounds: int = 5) -> float:
    """The median time of one call, after one that is not counted."""
    work()
    return statistics.median(_seconds(work) for _ in range(rounds))


def rate(number: int, work: Callable[[], object], rounds: int = 5) -> float:
    """How many of the `number` things that one call does are done in a second, by the median call."""
    return number / median_seconds(work, rounds)


def show(figures: Sequence[Figure]) -> None:
    table = Table(box=box.SIMPLE_HEAD)
    for column, justify in (
        ("what", "left"),
        ("measured", "right"),
        ("floor", "right"),
        ("ratio", "right"),
        ("target", "left"),
    ):
        table.add_column(column, justify=justify)  # type: ignore[arg-type] # rich wants literals
    for one in figures:
        floor = "" if one.floor is None else f"{one.floor:,.4g} ({one.floor_name})"
        ratio = "" if one.ratio is None else f"{one.ratio:.2f}"
        table.add_row(one.name, f"{one.value:,.4g} {one.unit}", floor, ratio, one.target)
    Console(width=None if sys.stdout.isatty() else 140).print(table)


def write(figures: Sequence[Figure], path: Path) -> None:
    machine = {"python": platform.python_version(), "machine": platform.machine(), "kernel": platform.release()}
    rows = [asdict(one) | {"ratio": one.ratio} for one in figures]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": machine, "figures": rows}, indent=2) + "\n")


def _seconds(work: Callable[[], object]) -> float:
    before = time.perf_counter()
    work()
    return time.perf_counter() - before
