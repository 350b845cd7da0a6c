"""No read that people wait for goes through all runs or edges: each goes by an index, on both databases."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from sensord.core.sensor import GATED
from sensord.store import reads
from sensord.store.database import Database
from sensord.store.reads import backfills, consumers, daemon, definitions, flows, history, past, runs, unrest, waits
from tests.store.test_query_plans import GROWING, PARTIAL, grown, outdated, plan, statements

__all__ = ["grown", "outdated"]

ALIASES = {"n", "r", "u", "s", "m", "e", "g", "a", "o", "p", *GROWING}
"""The names that the reads give to tables that grow."""

PARTS = {".runs.SELECT", ".runs.OF_FLOWS", ".runs.NEAREST", ".consumers.REACH", ".unrest.IS_FAILED"}
"""Of which the reads are made."""

READS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "status": (flows.GLANCES, {}),
    "status of some": (flows.GLANCES_OF, {"ids": [(1,), (2,)]}),
    "flows that fail or stand": (unrest.STANDING, {"most": 10}),
    "flows with unfinished runs": (unrest.UNFINISHED_OF, {"states": [(1, 10), (2, 10)]}),
    "flows that are blocked": (waits.BLOCKED, {"ids": [(1,), (2,)]}),
    "what waits": (waits.SUMMARY, {"ids": [(7,), (8,)]}),
    "newest of all": (runs.FLOOR, {"before": 19}),
    "list": (f"{runs.OF_FLOWS} AND r.logical_date >= :since ORDER BY r.logical_date LIMIT 20", {"since": 995}),
    "list of a flow": (f"{runs.SELECT} AND f.name = :flow ORDER BY r.logical_date DESC LIMIT 20", {"flow": "flow 1"}),
    "list of what is queued": (f"{runs.SELECT} AND r.state = :state AND {runs.LIVE}", {"state": 2}),
    "by id": (runs.BY_ID, {"id": 7}),
    "by date": (runs.BY_DATE, {"flow": "flow 1", "date": 5}),
    "newest": (runs.NEWEST, {"flow": "flow 1"}),
    "before": (runs.NEAREST.format(side="<", order="DESC"), {"flow": "flow 1", "date": 5, "number": 2}),
    "after": (runs.NEAREST.format(side=">", order="ASC"), {"flow": "flow 1", "date": 5, "number": 2}),
    "attempts": (runs.ATTEMPTS, {"id": 7}),
    "timers": (runs.TIMERS, {"id": 7, "attempt": 1}),
    "durations": (history.DURATIONS, {"flow": 1, "newest": 20}),
    "pace": (history.PACE, {"flow": "flow 1", "newest": 20}),
    "how runs ended": (history.ENDED, {"dates": [("flow 1", 5)]}),
    "what will be waited for": (waits.EXPECTED, {"dates": [(0, 1, 5, 64), (0, 1, 6, 64)]}),
    "upstreams": (waits.UPSTREAMS, {"id": 7}),
    "waiters of a run": (waits.WAITERS, {"id": 7}),
    "gates": (waits.GATES, {"id": 7}),
    "active": (daemon.ACTIVE, {"limit": 5}),
    "under way": (daemon.UNDER_WAY, {"flow": 1}),
    "queue of a flow": (daemon.OF_FLOW, {"flow": 1, "date": 5}),
    "consumers": (consumers.COUNTED, {"id": 7}),
    "rerun since": (consumers.RERUN_SINCE, {"id": 7, "since": 5}),
    "details": (runs.DETAILS, {"id": 7}),
    "slots": (daemon.SLOTS, {}),
    "pools in use": (daemon.POOLS_USED, {}),
    "in a pool": (daemon.IN_POOL, {"pool": "small"}),
    "backfills": (backfills.COUNTS, {"ids": [(1,), (2,)]}),
    "backfill by flow": (backfills.PARTS, {"id": 1}),
    "states of dates": (backfills.STATES, {"dates": [(1, 5)]}),
    "known of a run": (past.KNOWN, {"id": 7}),
    "edges of runs": (past.EDGES, {"ids": [(7,), (8,)], "most": 100}),
    "gates of runs": (past.GATES, {"ids": [(7,), (8,)]}),
    "deeds": (past.DEEDS, {"ticks": [(1, 5), (1, 6)]}),
    "definitions of runs": (past.BODIES, {"ids": [(1,)]}),
    "hurried by": (runs.HURRIED_BY, {"id": 7}),
    "what holds it": (daemon.HELD, {"id": 7}),
    "counts": (runs.COUNTS, {}),
    "unfinished": (history.WAITING, {"before": 5}),
    "definition of an attempt": (definitions.OF_ATTEMPT, {"id": 7, "number": 1}),
}


@pytest.fixture
def reader(grown: Database) -> Iterator[Database]:
    """As commands open it."""
    with Database.open(grown.url, readonly=True) as db:
        yield db


def test_reads_go_by_an_index(reader: Database) -> None:
    found = {name: scans(reader, sql, values) for name, (sql, values) in READS.items()}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_no_read_is_left_out() -> None:
    known = {sql for sql, _ in READS.values()}

    left = {name for name, sql in statements(reads).items() if sql not in known}

    assert left == {*PARTS, ".waits.UNMET", ".waits.STUCK"}, "the last two have a test of their own"


def test_reads_know_gates_as_the_core_does() -> None:
    assert waits.GATED == GATED


def test_a_scan_would_be_found(reader: Database) -> None:
    assert scans(reader, "SELECT r.id FROM run r WHERE r.message = :text", {"text": "x"})


def test_chains_are_followed_by_indexes(reader: Database) -> None:
    """PostgreSQL cannot guess how few rows a recursion has and may choose another way: SQLite's plan is held here."""
    for sql in (waits.UNMET, waits.STUCK):
        if reader.dialect == "sqlite":
            assert scans(reader, sql, {"id": 7, "most": 100}) == []
        else:
            plan = "".join(row[0] for row in reader.fetch(f"EXPLAIN {sql}", id=7, most=100))
            assert "Index" in plan


def test_who_is_not_at_rest_is_found_without_the_others(outdated: Database) -> None:
    """Neither by all flows nor by all runs, whatever the statistics say. PostgreSQL reads a table of one page as it is,
    and tells how it went on in a recursion only once it has.
    """
    states = [(state, 10) for state in range(1, 6)]
    with Database.open(outdated.url, readonly=True) as db:
        if db.dialect == "sqlite":
            standing = plan(db, unrest.STANDING, {"most": 10})
            unfinished = plan(db, unrest.UNFINISHED_OF, {"states": states})
        else:
            db.fetch("SELECT set_config('enable_seqscan', 'off', false)")
            standing = plan(db, unrest.STANDING, {"most": 10})
            unfinished = "\n".join(row[0] for row in db.fetch(f"EXPLAIN ANALYZE {unrest.UNFINISHED_OF}", states=states))

    assert standing.count("flow_failed") == 1
    assert standing.count("flow_stopped") == 2
    assert "run_unfinished" in unfinished
    assert ("ROW(state, flow_id) >= ROW" if outdated.dialect == "postgresql" else "(state,flow_id)>(?,?)") in unfinished
    assert not [line for line in f"{standing}\n{unfinished}".splitlines() if "Sort" in line or "TEMP B-TREE" in line]


def test_each_flow_with_unfinished_runs_is_found_once_up_to_a_limit(outdated: Database) -> None:
    states = [(state, 7) for state in range(1, 6)]
    found = outdated.fetch(unrest.UNFINISHED_OF, states=states)

    expected = outdated.fetch("SELECT DISTINCT state, flow_id FROM run WHERE state < 6 ORDER BY state, flow_id")
    by_state = {state: [flow for one, flow in expected if one == state] for state, _ in states}
    assert sorted(found) == [(state, flow) for state, flows in by_state.items() for flow in flows[:7]]
    assert all(len(flows) > 3 for flows in by_state.values())


def scans(db: Database, sql: str, values: dict[str, Any]) -> list[str]:
    """The lines of the query's plan that read a whole growing table, other than by a partial index."""
    if db.dialect == "sqlite":
        plan = [row[3].split() for row in db.fetch(f"EXPLAIN QUERY PLAN {sql}", **values)]
        return [
            " ".join(words) for words in plan if words[0] == "SCAN" and words[1] in ALIASES and not PARTIAL & {*words}
        ]
    plan = [row[0].split() for row in db.fetch(f"EXPLAIN {sql}", **values)]
    return [" ".join(words) for words in plan if "Seq" in words and ALIASES & {*words}]
