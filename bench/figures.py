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
class Target:
    """What a figure, or its ratio to the floor, is to be: at most `limit`, or at least."""

    limit: float
    unit: str = ""
    of_ratio: bool = False
    at_least: bool = False

    def __str__(self) -> str:
        sign = ">=" if self.at_least else "<="
        if self.of_ratio:
            return f"{sign} {self.limit * 100:.0f} % of the floor"
        return f"{sign} {self.limit:g} {self.unit}".rstrip()


def at_most(limit: float, unit: str = "") -> Target:
    return Target(limit, unit)


def share(limit: float) -> Target:
    """At least so much of the floor, which is a rate."""
    return Target(limit, of_ratio=True, at_least=True)


FLAT = Target(1.2, of_ratio=True)
"""At most a fifth more than the smallest size."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `floor` is what the same work costs without sensord, in the same unit."""

    name: str
    value: float
    unit: str
    floor: float | None = None
    floor_name: str = ""
    target: Target | None = None

    @property
    def ratio(self) -> float | None:
        """None also where the floor is too small to be measured, as the CPU of a bare process may be."""
        return self.value / self.floor if self.floor else None

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None where there is none."""
        if self.target is None:
            return None
        found = self.ratio if self.target.of_ratio else self.value
        assert found is not None, f"{self.name} has no floor"
        return found >= self.target.limit if self.target.at_least else found <= self.target.limit


def median_seconds(work: Callable[[], object], rounds: int = 5) -> float:
    """The median time of one call, after one that is not counted."""
    work()
    return statistics.median(_seconds(work) for _ in range(rounds))


def rate(number: int, work: Callable[[], object], rounds: int = 5) -> float:
    """How many of the `number` things that one call does are done in a second, by the median call."""
    return number / median_seconds(work, rounds)


def show(figures: Sequence[Figure]) -> None:
    """All of them, and then those that have a target."""
    _print_table(figures)
    aimed = [one for one in figures if one.target]
    if aimed:
        missed = sum(not one.met for one in aimed)
        print(f"\n{len(aimed)} targets, {missed} missed" if missed else f"\n{len(aimed)} targets, all met")
        _print_table(aimed)


def _print_table(figures: Sequence[Figure]) -> None:
    table = Table(box=box.SIMPLE_HEAD)
    for column, justify in (
        ("what", "left"),
        ("measured", "right"),
        ("floor", "right"),
        ("ratio", "right"),
        ("target", "left"),
        ("met", "left"),
    ):
        table.add_column(column, justify=justify)  # type: ignore[arg-type] # rich wants literals
    for one in figures:
        floor = "" if one.floor is None else f"{one.floor:,.4g} ({one.floor_name})"
        ratio = "" if one.ratio is None else f"{one.ratio:.2f}"
        target, met = ("", "") if one.target is None else (str(one.target), "yes" if one.met else "NO")
        table.add_row(one.name, f"{one.value:,.4g} {one.unit}", floor, ratio, target, met)
    Console(width=None if sys.stdout.isatty() else 150).print(table)


def write(figures: Sequence[Figure], path: Path) -> None:
    machine = {"python": platform.python_version(), "machine": platform.machine(), "kernel": platform.release()}
    rows = [
        asdict(one) | {"target": one.target and str(one.target), "ratio": one.ratio, "met": one.met} for one in figures
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": machine, "figures": rows}, indent=2) + "\n")


def _seconds(work: Callable[[], object]) -> float:
    before = time.perf_counter()
    work()
    return time.perf_counter() - before
