"""The JSON of every read, in one small world: keys stay, with the same values. New ones may come.

`SNAPSHOT_WRITE=1` writes what there is now into `snapshots/`: look at what that changes, others read it.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from sensord.store.database import redact
from tests.cli.program import Program
from tests.cli.test_reference import READS
from tests.daemon.world import DAILY, HOURLY, World, on

SNAPSHOTS = Path(__file__).parent / "snapshots"
ASKED: dict[str, list[str]] = {
    "check": [],
    "status": [],
    "why": ["mart/sales"],
    "resolve": ["mart/sales", "2026-11-22T10:00Z"],
    "next": ["dim/customers", "-n", "2"],
    "graph": [],
    "simulate": ["--to", "2026-11-22T11:30Z"],
    "backfill list": [],
    "backfill show": ["1"],
    "flow list": [],
    "flow show": ["mart/sales"],
    "run list": [],
    "run show": ["ingest/orders"],
    "daemon status": [],
    "worker list": [],
    "db check": [],
}
"""What each read is asked for."""
VARIANTS = {
    "flow show resolved": "flow show mart/sales --resolved",
    "run show definition": "run show ingest/orders --definition",
    "graph of one": "graph mart/sales",
    "why of a tick to come": "why mart/sales 2026-11-22T11:00Z",
}
"""Reads whose JSON has another shape with an option, or for another thing."""


@pytest.fixture
def lived(world: World) -> World:
    """orders of 10:00 failed after 5 minutes, so sales is blocked; customers run; a file is wrong; it is 10:40."""
    world.flow("dim/customers", 'owner = "crm"\ntags = ["daily"]\n', DAILY)
    world.flow("ingest/orders", HOURLY)
    world.flow("mart/sales", HOURLY, on("ingest/orders", timeout="2h"), on("dim/customers", on_failure="proceed"))
    world.start()
    world.tick()
    world.clock.set(world.clock.now().replace(minute=35))
    world.end("ingest/orders", "2026-11-22T10:00", 3)
    world.tick()
    world.flow("wrong", HOURLY.replace("0 *", "61 *"))
    world.daemon.reload()
    world.clock.set(world.clock.now().replace(minute=40))
    return world


@pytest.mark.parametrize("path", READS)
def test_the_json_of_a_read_is_what_it_was(lived: World, sensord: Program, path: str) -> None:
    name = path.removeprefix("sensord ")
    if name.startswith("backfill"):
        dates = {"from": "2026-11-20T02:00:00+00:00", "to": "2026-11-21T02:00:00+00:00"}
        lived.daemon.change("backfill", {"flow": "dim/customers", **dates})
    said = sensord(*name.split(), *ASKED[name], "--json")
    assert said.code == (1 if name == "check" else 0), said.err
    _compare(name, said.out, lived)


@pytest.mark.parametrize("name", VARIANTS)
def test_the_json_of_a_variant_is_what_it_was(lived: World, sensord: Program, name: str) -> None:
    said = sensord(*VARIANTS[name].split(), "--json")
    assert said.code == 0, said.err
    _compare(name, said.out, lived)


def _compare(name: str, out: str, world: World) -> None:
    shown = _steady(json.loads(out), world)
    file = SNAPSHOTS / f"{name.replace(' ', '-')}.json"
    if os.environ.get("SNAPSHOT_WRITE"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(shown, indent=2) + "\n")
    before = json.loads(file.read_text())
    assert _as_far_as(before, shown) == before


def test_no_snapshot_is_left_over() -> None:
    known = {name.replace(" ", "-") for name in (*ASKED, *VARIANTS)}
    assert {file.stem for file in SNAPSHOTS.glob("*.json")} == known


def _as_far_as(before: Any, shown: Any) -> Any:
    """What is shown, without the keys that were not there before."""
    if isinstance(before, dict) and isinstance(shown, dict):
        return {key: _as_far_as(before[key], inner) for key, inner in shown.items() if key in before}
    if isinstance(before, list) and isinstance(shown, list) and len(before) == len(shown):
        return [_as_far_as(one, other) for one, other in zip(before, shown, strict=True)]
    return shown


def test_a_key_that_goes_or_changes_is_found_and_a_new_one_is_none() -> None:
    before = {"a": [{"b": 1}], "c": None}
    assert _as_far_as(before, {"a": [{"b": 1, "new": 2}], "c": None, "new": 3}) == before
    others: list[dict[str, Any]] = [
        {"a": [{"b": 2}], "c": None},
        {"a": [{}], "c": None},
        {"a": [], "c": None},
        {"a": [{"b": 1}]},
    ]
    assert [other for other in others if _as_far_as(before, other) == before] == []


def _steady(value: Any, world: World) -> Any:
    """Without what differs from test to test: its folder, its database, its process, the schema, and the time."""
    if isinstance(value, list):
        return [_steady(inner, world) for inner in value]
    if isinstance(value, dict):
        changed = {"pid": 0, "started_at": "NOW"} if value.keys() >= {"host", "pid", "version"} else {}
        changed |= {"revision": "HEAD", "needed": "HEAD"} if "needed" in value else {}
        return {key: _steady(inner, world) for key, inner in (value | changed).items()}
    if isinstance(value, str):
        return value.replace(redact(world.db.url), "DATABASE").replace(str(world.folder.parent), "FOLDER")
    return value
