"""No query of the hot path reads a whole table that grows: each goes by an index, on both databases."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from sensord.core.run import State
from sensord.store import (
    attempts,
    backfills,
    edges,
    flows,
    manual,
    passed,
    past,
    priorities,
    requests,
    reruns,
    retention,
    runs,
    schema,
    sweep,
    timers,
    waits,
)
from sensord.store.database import Database, Transaction
from sensord.store.edges import Edge
from sensord.store.runs import NewRun
from tests.postgres.cluster import Cluster
from tests.store.rows import SKIPPED, SUCCESS, make_flows
from tests.support.databases import DIALECTS

GROWING = ("run", "edge", "gate", "attempt", "outcome", "request", "timer", "unpruned", "past")
PARTIAL = {"run_live", "request_open"}
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
    "attempt": (runs.SUBMIT, {"attempts": [(7, 2, 1)], "executor": "local", "host": "here", "now": 1}),
    "outcome": (runs.OUTCOME, {"ended": [(7, 2, 1, 6, None, 0, None, None, None)]}),
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
    **{statement.split()[2]: (statement, IDS) for statement in retention.FORGET},
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
    "find": (runs.FIND, {"flow": "flow 1", "date": 5}),
}


@pytest.fixture(scope="module", params=DIALECTS)
def grown(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgres_cluster: Cluster
) -> Iterator[Database]:
    """Runs and edges enough that a planner has a choice, with the statistics that it chooses by. To look at alone."""
    if request.param == "sqlite":
        url = f"sqlite://{tmp_path_factory.mktemp('grown') / 'sensord.db'}"
    else:
        url = postgres_cluster.url(postgres_cluster.create())
    with Database.open(url, durability="normal") as db:
        schema.upgrade(db)
        with db.transaction() as tx:
            grow(tx)
        db.run("ANALYZE")
        yield db


def grow(tx: Transaction) -> None:
    ids = make_flows(tx, *(f"flow {number}" for number in range(FLOWS)))
    made = runs.insert(tx, [NewRun(flow, date, 0, 0, 1) for flow in ids.values() for date in range(DATES)], 0)
    edges.insert(tx, [Edge(run.flow_id, run.logical_date, run.run_id, 0, SUCCESS, SKIPPED) for run in made], [])
    tx.run("UPDATE run SET state = 6 WHERE logical_date < 990")
    fill(tx)


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
    if db.dialect == "sqlite":
        plan = [row[3] for row in db.fetch("EXPLAIN QUERY PLAN " + sql, **values)]
        return [
            line for line in plan if line.startswith("SCAN") and is_growing(line) and not PARTIAL & set(line.split())
        ]
    plan = [row[0] for row in db.fetch("EXPLAIN " + sql, **values)]
    return [line for line in plan if "Seq Scan on" in line and is_growing(line)]


def is_growing(line: str) -> bool:
    """Whether the line speaks of a table that grows, by its own name or the one that our queries give it."""
    aliases = {"e", "u", "w", "r", "g", *GROWING}
    return bool(aliases & set(line.replace("(", " ").split()))


@pytest.mark.parametrize("name", HOT)
def test_a_hot_query_goes_by_an_index(grown: Database, name: str) -> None:
    sql, values = HOT[name]

    assert scans(grown, sql, dict(values)) == []


@pytest.mark.parametrize(
    "sql",
    ["SELECT * FROM run WHERE message = 'x'", "SELECT * FROM edge e WHERE e.counts = 1", "SELECT key FROM request"],
)
def test_a_scan_would_be_found(grown: Database, sql: str) -> None:
    assert scans(grown, sql, {})
