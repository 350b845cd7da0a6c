"""Measure, print a table, and write `bench/results.json`. Arguments name some of the parts: ticks mappings proof."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import mappings, proof, ticks
from bench.figures import Figure, show, write

PARTS: dict[str, Callable[[], Iterator[Figure]]] = {
    "ticks": ticks.measure,
    "mappings": mappings.measure,
    "proof": proof.measure,
}


def main(names: list[str]) -> None:
    figures = [figure for name in names or PARTS for figure in PARTS[name]()]
    show(figures)
    write(figures, Path("bench/results.json"))


if __name__ == "__main__":
    main(sys.argv[1:])
