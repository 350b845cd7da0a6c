"""Measure, print a table, and write `bench/results.json`. Arguments name some of the parts; `--quick` measures less."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import endtoend, growth, latency, mappings, proof, releases, rest, settle, startup, ticks, workers
from bench.figures import Figure, show, write

PARTS: dict[str, Callable[[bool], Iterator[Figure]]] = {
    "ticks": lambda _: ticks.measure(),
    "mappings": lambda _: mappings.measure(),
    "proof": lambda _: proof.measure(),
    "endtoend": endtoend.measure,
    "latency": latency.measure,
    "releases": releases.measure,
    "settle": settle.measure,
    "growth": growth.measure,
    "rest": rest.measure,
    "startup": startup.measure,
    "workers": workers.measure,
}


def main(arguments: list[str]) -> None:
    quick = "--quick" in arguments
    names = [argument for argument in arguments if argument != "--quick"] or list(PARTS)
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        raise SystemExit(f"expected some of {', '.join(PARTS)}, got {', '.join(unknown)}")
    figures = []
    for name in names:
        for figure in PARTS[name](quick):
            figures.append(figure)
            print(f"{figure.name}: {figure.value:,.4g} {figure.unit}", file=sys.stderr, flush=True)
    write(figures, Path("bench/results.json"))
    show(figures)


if __name__ == "__main__":
    main(sys.argv[1:])
