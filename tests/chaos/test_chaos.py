"""Real daemons and commands under random blows for some seconds; CHAOS_SECONDS and CHAOS_SEED ask for others."""

import os
from pathlib import Path

import pytest

from tests.chaos.__main__ import CASTS, replay, run
from tests.chaos.audit import audit
from tests.chaos.blows import Kind

SECONDS = float(os.environ.get("CHAOS_SECONDS", "20"))
SEED = int(os.environ.get("CHAOS_SEED", "1"))


@pytest.mark.parametrize("database", CASTS)
def test_nothing_is_lost_and_nothing_runs_twice(database: str, tmp_path: Path) -> None:
    evidence = run(tmp_path / "site", database, SEED, SECONDS)

    assert audit(evidence) == [], replay(database, SEED, SECONDS)
    assert {span.kind for span in evidence.spans} >= {Kind.KILL_DAEMON, Kind.EDIT, Kind.BREAK, Kind.RENAME}
    assert len(evidence.outcomes) > SECONDS
