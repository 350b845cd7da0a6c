"""No query of the hot path reads a whole table that grows: each goes by an index, on both databases."""

import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from psycopg.sql import Literal

from sensord import store
from sensord.core.run import State
from sensord.store import (
    attempts,
    backfills,
    carrier,
    edges,
    failing,
    flows,
    logs,
    manual,
    passed,
    past,
    priorities,
    requests,
    reruns,
    retention,
    runs,
    schema,
    stations,
    sweep,
    timers,
    waits,
    workers,
)
from sensord.store.database import Database, Transaction
from sensord.store.edges import Edge
from sensord.store.postgres import bind, translate
from sensord.store.runs import NewRun
from tests.postgres.cluster import Cluster
from tests.store.rows import SKIPPED, SUCCESS, make_flows
from tests.support.databases import DIALECTS

GROWING = ("run", "edge", "gate", "attempt", "outcome", "request", "timer", "unpruned", "past")
PARTIAL = {"run_unfinished", "request_open"}
"""Indexes that hold what is unfinished only: to read one of them whole is no scan of what grows."""

FLOWS, DATES = 20, 1000

IDS = {"ids": [(7,), (8,)]}
MOVES = {"moves": [(1, 5, 1 << State.RUNNING, SUCCESS)]}

HOT: Mapping[str, tuple[str, dict[str, Any]]] = {
    "plan": (runs.INSERT, {"runs": [(1, 5000, 0, 0, 1, None, None)], "now": 1}),
    "cursors": (flows.ADVANCE, {"rows": [(1, 5, 5)]}),
    "passed over": (edges.PASSED_OVER, {"advances": [(1, 5, 6)]}),
    "edges": (edges.INSERT, {"edges": [(1, 5, 900_000, 0, SUCCESS, SKIPPED)]}),
    "tally": (edges.TALLY, IDS),
    "gates": (edges.GATES, IDS),
    "pending": (edges.SET_PENDING, {"counts": [(7, 0)], "now": 1}),
    "count": (edges.COUNT, MOVES | {"now": 1}),
    "gated": (edges.GATED_CHANGES, MOVES),
    "plain": (edges.PLAIN_CHANGES, MOVES),
    "count both": (edges.COUNT_BOTH, {"changes": [(7, 1)], "now": 1}),
    "touched": (edges.TOUCHED, MOVES),
    "turn gates": (edges.TURN_GATES, {"changes": [(7, 0, 1)]}),
    "new gates": (edges.INSERT_GATES, {"gates": [(900_000, 0, 1, 0, 1, None, 0)]}),
    "conclude": (runs.CONCLUDE, {"verdicts": [(7, 8, "upstream_skipped", "why")], "now": 1}),
    "dispatch": (runs.DISPATCH, IDS),
    "submit": (
        runs.SUBMIT,
        {"attempts": [(7, 2, 1)], "executor": "local", "host": "here", "station": "here", "now": 1},
    ),
    "record an outcome": (runs.OUTCOME, {"ended": [(7, 2, 1, 6, None, 0, None, None, None)]}),
    "stop": (attempts.STOP, {"attempts": [(7, 1, "timed_out")]}),
    "upstream runs": (edges.UPSTREAM_RUNS, IDS),
    "begin": (runs.BEGIN, {"began": [(7, 1, 1, 1)]}),
    "begin attempt": (runs.BEGIN_ATTEMPT, {"began": [(7, 1, 1, 1)]}),
    "end": (runs.END, {"ended": [(7, 1, 1, 6, None, 0, None, None, None)]}),
    "live": (runs.LIVE, {}),
    "requests": (requests.OPEN, {}),
    "by id": (runs.BY_ID, IDS),
    "tries": (attempts.TRIES, {"attempts": [(7, 1)]}),
    "requeue": (runs.REQUEUE, {"retries": [(7, 1)], "now": 1}),
    "stopping": (attempts.STOPPING, {}),
    "elsewhere": (attempts.ELSEWHERE, {"station": "here"}),
    "set timers": (timers.SET, {"timers": [(7, 1, 1, 1)]}),
    "fire": (timers.FIRE, {"now": 1}),
    "keep timers": (timers.KEEP, {"timers": [(7, 16, 1, 1)]}),
    "next due": (timers.NEXT, {}),
    "lost": (edges.LOST, MOVES),
    "let go": (edges.LET_GO, {"gates": [(7, 0, 0, 0, 1, None, 1)]}),
    "open gates": (edges.OPEN, {"gates": [(7, 0, 0, 0, 1, None, 1)]}),
    "begun": (waits.BEGUN, IDS),
    "last accepted": (passed.LAST_ACCEPTED, {"lookups": [(7, 0, 1, 900, SUCCESS)]}),
    "record passed": (passed.RECORD, {"rows": [(7, "[]")]}),
    "what a command is told": (passed.WITH_UPSTREAM_RUNS, IDS),
    "behind": (retention.BEHIND, IDS | {"now": 1}),
    "old": (retention.NEXT, {"flow": 1, "after": 5, "most": 500}),
    "left over": (retention.LEFT_OVER, {"now": 1, "most": 500}),
    "next look": (retention.NEXT_LOOK, {}),
    "still old": (retention.STILL_OLD, {"ids": [(7, 1), (8, 1)]}),
    **{f"forget {statement.split()[2]}": (statement, IDS) for statement in retention.FORGET},
    "strip": (retention.STRIP, IDS),
    "forget the past": (retention.FORGET_PAST, IDS),
    "forget what was missed": (retention.FORGET_MISSED, {"rows": [(1, 5)]}),
    "left": (past.LEFT, IDS | {"what": 1, "who": "ann", "now": 1}),
    "stopped": (past.STOPPED, {"id": 7, "what": 6, "state": 9, "who": "ann", "now": 1}),
    "made": (past.MADE, {"ticks": [(1, 5)], "what": 4, "who": "ann", "now": 1}),
    "timed out": (past.TIMED_OUT, {"sensors": [(7, 0, 1)], "what": 5, "now": 1}),
    "mapped": (past.MAPPED, IDS | {"now": 1}),
    "look later": (retention.LATER, {"looks": [(7, 1)]}),
    "oldest request": (retention.OLDEST_REQUEST, {}),
    "old requests": (retention.PRUNE_REQUESTS, {"until": 1, "most": 10}),
    "waiters": (edges.WAITERS, {"ids": [(1,)]}),
    "clear sensors": (edges.CLEAR_SENSORS, {"keys": [(7, 0)]}),
    "cancel": (runs.CANCEL_UNSTARTED, {"ids": [(1,)], "reason": "", "message": "", "now": 1}),
    "redefine": (waits.REDEFINE, {"ids": [(1,)]}),
    "waiting": (waits.FIND, {"ids": [(1,)]}),
    "waiting by their own": (waits.FIND_WITH_OWN, {"ids": [(1,)]}),
    "sweep": (sweep.SLICE, {"after": 500, "until": 600, "most": 100}),
    "end of the sweep": (sweep.LAST_ID, {}),
    "counted": (sweep.SET_COUNTED, {"gates": [(7, 0, 1)]}),
    "stale": (reruns.MARK_STALE, IDS | {"now": 1}),
    "reach": (reruns.REACHED, {"id": 7, "most": 100}),
    "let go of all": (reruns.LET_GO, IDS),
    "rerun": (reruns.RERUN, IDS | {"now": 1, "keep": 0}),
    "free dates": (manual.DATES, {"flow": 1, "after": 5, "until": 60}),
    "params": (manual.PARAMS, IDS),
    "from waiters": (priorities.FROM_WAITERS, IDS),
    "to upstreams": (priorities.TO_UPSTREAMS, IDS),
    "own priority": (priorities.OF_FLOWS, {"ids": [(1,)]}),
    "existing": (backfills.EXISTING, {"dates": [(1, 5), (2, 7)]}),
    "take over": (backfills.TAKE_OVER, {"id": 1, "runs": [(7,), (8,)]}),
    "cancel a backfill": (backfills.CANCEL, {"id": 1, "words": "x", "now": 1, "most": 500}),
    "close backfills": (backfills.FINISH, {"ids": [(1,)], "now": 1}),
    "let go of a backfill": (backfills.LET_GO, {"runs": [(7,), (8,)]}),
    "missed": (past.MISSED, {"ticks": [(1, 5)], "now": 1, "what": 1}),
    "by hand": (runs.SETTLE_BY_HAND, {"id": 7, "old": 1, "new": 9, "reason": "", "message": "", "now": 1}),
    "assigned": (stations.ASSIGNED, {"station": "here"}),
    "fates": (stations.FATES, {"attempts": [(7, 1)]}),
    "ask": (requests.ASK, {"key": "new", "kind": "x", "body": "{}", "who": "ann", "now": 1}),
    "answer": (requests.ANSWER, {"id": 7, "now": 1, "ok": 1, "text": "done", "hint": None, "exit_code": None}),
    "answer of": (requests.ANSWER_OF, {"id": 7}),
    "expire": (requests.EXPIRE, {"now": 1}),
    "find": (runs.FIND, {"flow": "flow 1", "date": 5}),
    "stopped by": (past.STOPPED_BY, {"attempts": [(7, 1)], "what": 1}),
    "marks of failure": (failing.MARKED, {"at": -1, "id": 0, "most": 500}),
    "no longer known": (workers.NO_LONGER_KNOWN, {"runs": [(7,), (8,)]}),
}

ON_POSTGRES: Mapping[str, tuple[str, dict[str, Any]]] = {
    "carry": (carrier.SUBMIT, {"attempts": [(7, 2, 1, 0, "q")], "now": 1}),
    "claim": (carrier.CLAIM + "run.id", {"attempts": [(7, 1)], "station": "here", "host": "here"}),
    "revoke": (carrier.REVOKE, {"attempts": [(7, 1, "timed_out")], "now": 1}),
    "gone": (workers.GONE, {"attempts": [(7, 1)]}),
    "ship": (logs.SHIP, {"run": 7, "attempt": 1, "parts": [(0, "")]}),
    "trim": (logs.TRIM, {"run": 7, "attempt": 1, "keep_from": 1}),
    "read": (logs.READ, {"run": 7, "attempt": 1, "after": 0}),
}
"""Of workers, whom SQLite knows not."""


@pytest.fixture(scope="module", params=DIALECTS)
def grown(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgres_cluster: Cluster
) -> Iterator[Database]:
    """Runs and edges enough that a planner has a choice, with the statistics that it chooses by. To look at alone."""
    folder = tmp_path_factory.mktemp("grown")
    with open_anew(request.param, folder, postgres_cluster) as db:
        with db.transaction() as tx:
            grow(tx)
        db.run("ANALYZE")
        yield db


@pytest.fixture(scope="module", params=DIALECTS)
def outdated(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgres_cluster: Cluster
) -> Iterator[Database]:
    """Half of the runs are unfinished, and statistics are from when none was. To look at alone."""
    folder = tmp_path_factory.mktemp("outdated")
    with open_anew(request.param, folder, postgres_cluster) as db:
        with db.transaction() as tx:
            grow(tx)
            tx.run("UPDATE run SET state = 6")
        db.run("ANALYZE")
        db.run("UPDATE run SET state = 1 + id % 5 WHERE logical_date > 500")
        yield db


def open_anew(dialect: str, folder: Path, cluster: Cluster) -> Database:
    """A new database, that many tests may look at."""
    url = f"sqlite://{folder / 'sensord.db'}" if dialect == "sqlite" else cluster.url(cluster.create())
    db = Database.open(url, durability="normal")
    schema.upgrade(db)
    return db


def grow(tx: Transaction) -> None:
    ids = make_flows(tx, *(f"flow {number}" for number in range(FLOWS)))
    made = runs.insert(tx, [NewRun(flow, date, 0, 0, 1) for flow in ids.values() for date in range(DATES)], 0)
    edges.insert(tx, [Edge(run.flow_id, run.logical_date, run.run_id, 0, SUCCESS, SKIPPED) for run in made], [])
    tx.run("UPDATE run SET state = 6 WHERE logical_date < 990")
    fill(tx)


def statements(package: ModuleType) -> dict[str, str]:
    """The SQL of its modules that speaks of tables that grow, by module and name; not what is only a part of others."""
    speaks = re.compile(rf"\b(SELECT|INSERT|UPDATE|DELETE)\b.*\b({'|'.join(GROWING)})\b", re.DOTALL)
    found = {}
    for one in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        for name, value in vars(importlib.import_module(one.name)).items():
            if isinstance(value, str) and name.isupper() and not name.startswith("_") and speaks.search(value):
                found[f"{one.name.removeprefix(package.__name__)}.{name}"] = value
    return found


def fill(tx: Transaction) -> None:
    """Rows in the other tables that grow, made from the runs."""
    tx.run("INSERT INTO gate (run_id, sensor, need, counted, mapped) SELECT id, 0, 1, 0, 1 FROM run")
    tx.run(
        "INSERT INTO attempt (run_id, number, definition_id, executor, host, submitted_at) "
        "SELECT id, 1, 1, 'local', 'here', 0 FROM run"
    )
    tx.run("INSERT INTO timer (run_id, what, attempt, due_at) SELECT id, 1, 1, id FROM run")
    tx.run("INSERT INTO unpruned (run_id, look_at) SELECT id, id FROM run")
    tx.run("INSERT INTO past (flow_id, logical_date, at, what) SELECT flow_id, logical_date, 0, 1 FROM run")
    tx.run("INSERT INTO outcome (run_id, attempt, at) SELECT id, 1, 0 FROM run")
    tx.run(
        "INSERT INTO request (key, kind, body, who, created_at, answered_at) "
        "SELECT CAST(id AS text), 'x', '{}', 'ann', 0, 1 FROM run"
    )


def scans(db: Database, sql: str, values: dict[str, Any]) -> list[str]:
    """The lines of the query's plan that read a whole growing table."""
    lines = plan(db, sql, values).splitlines()
    growing = [(line, after) for line, after in pairwise([*lines, ""]) if is_growing(line)]
    if db.dialect == "sqlite":
        return [line for line, _ in growing if line.startswith("SCAN") and not PARTIAL & set(line.split())]
    return [line for line, after in growing if "Seq Scan on" in line or _goes_through_all(line, after)]


def _goes_through_all(line: str, after: str) -> bool:
    """Whether it reads an index from its beginning to its end."""
    return "Index" in line and " Scan " in line and "Index Cond" not in after and not PARTIAL & set(line.split())


def plan(db: Database, sql: str, values: dict[str, Any]) -> str:
    """The lines of the query's plan; on PostgreSQL of that which is made once, for sets of any size."""
    if db.dialect == "sqlite":
        return "\n".join(row[3] for row in db.fetch(f"EXPLAIN QUERY PLAN {sql}", **values))
    statement, connection = translate(sql), db.connection  # type: ignore[attr-defined] # PostgreSQL's has one
    bound = bind(statement, dict(values))
    kinds = ", ".join({int: "bigint", str: "text"}.get(type(value), "unknown") for value in bound)
    literals = ", ".join(Literal(value).as_string(connection) for value in bound)
    connection.execute(f"PREPARE asked {f'({kinds})' if bound else ''} AS {statement.text}")
    try:
        rows = connection.execute(f"EXPLAIN EXECUTE asked {f'({literals})' if bound else ''}").fetchall()
    finally:
        connection.execute("DEALLOCATE asked")
    return "\n".join(row[0] for row in rows)


def is_growing(line: str) -> bool:
    """Whether the line speaks of a table that grows, by its own name or the one that our queries give it."""
    aliases = {"e", "u", "w", "r", "g", *GROWING}
    words = set(line.replace("(", " ").split())
    if "Bitmap Index Scan" in line:  # it names the index alone, which is called after its table
        return any(f" {table}_" in line for table in GROWING)
    return bool(aliases & words) and "worker" not in words


@pytest.mark.parametrize("name", HOT)
def test_a_hot_query_goes_by_an_index(grown: Database, name: str) -> None:
    sql, values = HOT[name]

    assert scans(grown, sql, dict(values)) == []


LEFT_OUT = {
    ".reruns.REACH": "a part of REACHED",
    ".failing.IS_FAILED": "a part of MARKED",
    ".edges.ANY_COUNTED": "asked once, at a start, for one row",
    ".carrier.CLAIM": "a part: what it returns is the caller's",
    ".carrier.DEFER": "speaks to Procrastinate alone",
    ".carrier.TAKE": "speaks to Procrastinate alone",
}

BY_STATE = frozenset(
    [
        "live",
        "stopping",
        "elsewhere",
        "assigned",
        "cancel",
        "redefine",
        "waiting",
        "waiting by their own",
        "own priority",
    ]
)
"""Those that look for runs by their state; all others know which runs they mean, or whose waiters."""


def test_no_statement_is_left_out() -> None:
    known = {sql for sql, _ in (*HOT.values(), *ON_POSTGRES.values())}

    left = {name for name, sql in statements(store).items() if sql not in known}

    assert left == {*LEFT_OUT}


def test_a_known_run_is_not_looked_for_among_all_in_its_state(outdated: Database) -> None:
    hot = HOT if outdated.dialect == "sqlite" else {**HOT, **ON_POSTGRES}

    plans = {name: plan(outdated, *hot[name]) for name in hot.keys() - BY_STATE}

    assert {name: text for name, text in plans.items() if "run_unfinished" in text} == {}


def test_what_is_of_workers_goes_by_an_index(outdated: Database) -> None:
    hot = {} if outdated.dialect == "sqlite" else ON_POSTGRES

    found = {name: scans(outdated, sql, dict(values)) for name, (sql, values) in hot.items()}

    assert {name: lines for name, lines in found.items() if lines} == {}


def test_who_is_unfinished_is_found_without_the_past(grown: Database) -> None:
    plans = {name: plan(grown, *HOT[name]) for name in BY_STATE}

    assert {name: text for name, text in plans.items() if "run_unfinished" not in text} == {}


OF_FLOWS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "mark as failing": (failing.MARK, {"ids": [(1,)], "now": 1}),
    "clear marks": (failing.CLEAR, {"ids": [(1,)]}),
    "pause": (flows.PAUSE, {"id": 1, "now": 1}),
    "remove": (flows.REMOVE, {"ids": [(1,)], "now": 1}),
}
"""What changes flows that are known by their ids, and may be at rest."""


def test_the_indexes_of_flows_that_are_not_at_rest_serve_nothing_else(outdated: Database) -> None:
    hot = HOT if outdated.dialect == "sqlite" else {**HOT, **ON_POSTGRES}

    plans = {name: plan(outdated, *one) for name, one in {**hot, **OF_FLOWS}.items()}

    found = {name for name, text in plans.items() if "flow_failed" in text or "flow_stopped" in text}
    assert found == {"marks of failure"}


@pytest.mark.parametrize(
    "sql",
    ["SELECT * FROM run WHERE message = 'x'", "SELECT * FROM edge e WHERE e.counts = 1", "SELECT key FROM request"],
)
def test_a_scan_would_be_found(grown: Database, sql: str) -> None:
    assert scans(grown, sql, {})
