"""The files of the shipped warehouse: what they name is there, and they open with a comment that teaches."""

import ast
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.warehouse.jobs import CONFIG

FILES = sorted((CONFIG / "flows").rglob("*.toml"))
NAMES = {path.relative_to(CONFIG / "flows").with_suffix("").as_posix() for path in FILES}


def body(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def test_the_warehouse_has_the_users_case_and_flows_of_other_teams() -> None:
    assert {"ingest/orders", "dim/customers", "mart/sales_hourly", "host/load", "host/facts", "mart/load"} < NAMES
    assert len({body(path)["owner"] for path in FILES}) >= 6


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_flow_names_only_flows_and_jobs_that_exist(path: Path) -> None:
    flow = body(path)
    upstreams = {sensor["upstream"] for sensor in flow.get("sensors", ())} | {flow["schedule"].get("follow")}
    assert upstreams - {None} <= NAMES
    python, job = flow["run"]["command"]
    assert python == "python3"
    assert (CONFIG / job).is_file()
    assert job.startswith("jobs/")


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_flow_writes_into_the_warehouse_beside_the_config(path: Path) -> None:
    assert body(path)["run"]["env"] == {"WAREHOUSE": "../warehouse"}


@pytest.mark.parametrize("path", [*FILES, CONFIG / "sensord.toml"], ids=str)
def test_a_file_opens_with_one_or_two_lines_of_comment(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    comment = [line for line in lines[:3] if line.startswith("# ")]
    assert len(comment) in (1, 2)
    assert lines[: len(comment)] == comment
    assert all(len(line) <= 120 for line in lines)


def test_every_job_belongs_to_a_flow_and_bears_its_name() -> None:
    shared = {"warehouse.py", "tables.py", "machine.py"}
    jobs = {path.name for path in (CONFIG / "jobs").glob("*.py")} - shared
    assert jobs == {name.replace("/", "_") + ".py" for name in NAMES}
    assert {body(path)["run"]["command"][1] for path in FILES} == {f"jobs/{job}" for job in jobs}


@pytest.mark.parametrize("path", sorted((CONFIG / "jobs").glob("*.py")), ids=lambda path: path.name)
def test_a_job_needs_nothing_but_an_old_python(path: Path) -> None:
    """The commands say `python3`, which is the machine's own."""
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))
    plain = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    froms = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    beside = {job.stem for job in path.parent.glob("*.py")}
    assert {name.partition(".")[0] for name in plain + froms} <= sys.stdlib_module_names | beside


def test_the_running_total_waits_for_its_own_previous_run() -> None:
    flows = {path.relative_to(CONFIG / "flows").with_suffix("").as_posix(): body(path) for path in FILES}
    own = [name for name, flow in flows.items() if name in {one["upstream"] for one in flow.get("sensors", ())}]
    assert own == ["finance/cpu_ledger"]
