"""Settle: finished upstream runs release those that wait for them, a million of which wait, with three sensors each.

Beside it the bare statement of the same design by the driver alone: same tables, same durability, turn by turn.
"""

import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count

from bench.databases import Place, places
from bench.figures import Figure, share
from bench.site import Site, make_site
from sensord.clock import SystemClock
from sensord.config import load
from sensord.core.instant import to_micros
from sensord.core.run import State
from sensord.daemon.activate import activate
from sensord.daemon.catalog import Catalog
from sensord.daemon.settle import settle
from sensord.store.database import Database
from sensord.store.runs import Move

Key = tuple[int, int]
Side = tuple[list[float], Callable[[Sequence[Key]], int]]

BATCHES = {1: 200, 10: 80, 100: 60, 1000: 12}
"""Size of a batch -> rounds."""

UPSTREAM = '[schedule]\ncron = "0 0 1 1 *"\nfirst = "next"\n[run]\ncommand = ["true"]\n'

MAKE_RUNS = """
INSERT INTO run (flow_id, logical_date, kind, state, pending, priority, definition_id, created_at)
SELECT {flow}, {number}, 1, 1, 1, 0, {definition}, 0 FROM {series}
"""
MAKE_EDGES = """
INSERT INTO edge (upstream_flow, upstream_date, run_id, sensor, counts, ends)
SELECT {upstream}, logical_date, id, {sensor}, 64, 0 FROM run WHERE flow_id = {flow}
"""
RAW = """
UPDATE run SET pending = run.pending - c.arrived, state = CASE WHEN run.pending = c.arrived THEN 2 ELSE 1 END,
               released_at = CASE WHEN run.pending = c.arrived THEN 1 ELSE NULL END
FROM (SELECT e.run_id AS waiter, COUNT(*) AS arrived FROM {keys}
      JOIN edge e ON e.upstream_flow = x.flow AND e.upstream_date = x.at
      WHERE e.counts & 64 <> 0 GROUP BY e.run_id) c
WHERE run.id = c.waiter AND run.state = 1
RETURNING run.id, run.flow_id, run.logical_date, run.priority, run.state
"""


def measure(quick: bool) -> Iterator[Figure]:
    waiting = 20_000 if quick else 1_000_000
    for place in places(("SQLite FULL",) if quick else ("SQLite FULL", "SQLite NORMAL", "PostgreSQL")):
        yield from _measure(place, waiting, quick=quick)


def _measure(place: Place, waiting: int, *, quick: bool) -> Iterator[Figure]:
    site = make_site(place)
    with place.open() as db:
        catalog = write_flows(db, site)
        upstream = make_waiting(db, catalog, waiting)
        dates = count(1)
        for size, rounds in BATCHES.items():
            ours: list[float] = []
            raw: list[float] = []
            sides: list[Side] = [(ours, partial(release, db, catalog)), (raw, raw_release(db))]
            for _ in range(max(2, rounds // 10) if quick else rounds):
                sides.reverse()  # or one of them might always pay for the checkpoint
                for seconds, act in sides:
                    keys = [(upstream, next(dates)) for _ in range(size)]
                    seconds.append(_seconds(act, keys))
            yield Figure(
                f"settle, batches of {size}, {place.name}",
                size / statistics.median(ours),
                "releases/s",
                size / statistics.median(raw),
                "bare statement",
                share(0.5),
            )


def _seconds(act: Callable[[Sequence[Key]], int], keys: Sequence[Key]) -> float:
    before = time.perf_counter()
    released = act(keys)
    seconds = time.perf_counter() - before
    if released != len(keys):
        raise RuntimeError(f"expected {len(keys)} releases, got {released}")
    return seconds


def write_flows(db: Database, site: Site) -> Catalog:
    """Three upstreams and the flow that waits for all of them."""
    for number in range(3):
        site.write(f"up_{number}", UPSTREAM)
    site.write("down", UPSTREAM + "".join(f'[[sensors]]\nupstream = "up_{number}"\n' for number in range(3)))
    with db.transaction() as tx:
        catalog = Catalog([])
        activate(tx, load(site.config), SystemClock().now(), catalog)
        return catalog


def make_waiting(db: Database, catalog: Catalog, number: int) -> int:
    """Runs that wait for one of their three upstream runs still. Returns the flow of that one."""
    down = catalog.by_name["down"]
    if db.dialect == "sqlite":
        series = f"(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {number}) SELECT n FROM s)"
    else:
        series = f"generate_series(1, {number}) AS s(n)"
    with db.transaction() as tx:
        tx.run(MAKE_RUNS.format(flow=down.id, number="n", definition=down.definition_id, series=series))
        for sensor in range(3):
            upstream = catalog.by_name[f"up_{sensor}"].id
            tx.run(MAKE_EDGES.format(upstream=upstream, sensor=sensor, flow=down.id))
    db.run("ANALYZE")
    return catalog.by_name["up_2"].id


def release(db: Database, catalog: Catalog, keys: Sequence[Key]) -> int:
    """As the daemon does it, in a transaction of its own. Returns how many were released."""
    moves = [Move(flow, date, State.RUNNING, State.SUCCESS) for flow, date in keys]
    with db.transaction() as tx:
        return len(settle(tx, catalog, moves, to_micros(SystemClock().now())).released)


def raw_release(db: Database) -> Callable[[Sequence[Key]], int]:
    """The bare statement, on the connection that is open."""
    connection = db.connection  # type: ignore[attr-defined] # each kind of database has one
    if db.dialect == "sqlite":
        keys_of = "(SELECT value ->> 0 AS flow, value ->> 1 AS at FROM json_each(?)) x"
        text = RAW.format(keys=keys_of)

        def run(keys: Sequence[Key]) -> int:
            connection.execute("BEGIN IMMEDIATE")
            rows = connection.execute(text, (json.dumps(keys),)).fetchall()
            connection.execute("COMMIT")
            return len(rows)

        return run
    text = RAW.format(keys="unnest($1::bigint[], $2::bigint[]) AS x(flow, at)")

    def run_there(keys: Sequence[Key]) -> int:
        flows, dates = ([key[part] for key in keys] for part in (0, 1))
        connection.execute("BEGIN")
        rows = connection.execute(text, (flows, dates)).fetchall()
        connection.execute("COMMIT")
        return len(rows)

    return run_there


def commit_rate(place: Place, rounds: int) -> float:
    """Commits of one changed row, by the driver alone."""
    with place.open() as db:
        connection = db.connection  # type: ignore[attr-defined] # as above
        connection.execute("CREATE TABLE IF NOT EXISTS bench (id integer PRIMARY KEY, n integer)")
        connection.execute("INSERT INTO bench SELECT 1, 0 WHERE NOT EXISTS (SELECT 1 FROM bench)")
        seconds = []
        for _ in range(rounds):
            before = time.perf_counter()
            connection.execute("BEGIN")
            connection.execute("UPDATE bench SET n = n + 1 WHERE id = 1")
            connection.execute("COMMIT")
            seconds.append(time.perf_counter() - before)
        connection.execute("DROP TABLE bench")
    return 1 / statistics.median(seconds)
