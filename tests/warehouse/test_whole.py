"""All jobs together: the whole warehouse from this machine, its catalog, and what every job owes to sensord."""

import os
import subprocess
import sys
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from sensord.core.instant import format_instant
from tests.warehouse.jobs import CONFIG, Warehouse, command, this_minute

FLOWS = sorted(
    path.relative_to(CONFIG / "flows").with_suffix("").as_posix() for path in CONFIG.rglob("flows/**/*.toml")
)
MINUTE = timedelta(minutes=1)


def in_order() -> list[str]:
    """The flows, upstreams first and the catalog last, so that it lists all of them."""
    upstreams = {}
    for flow in FLOWS:
        body = tomllib.loads((CONFIG / "flows" / f"{flow}.toml").read_text(encoding="utf-8"))
        upstreams[flow] = {sensor["upstream"] for sensor in body.get("sensors", ())} - {flow}
    ordered: list[str] = []
    while len(ordered) < len(FLOWS):
        ready = [flow for flow in FLOWS if flow not in ordered and upstreams[flow] <= set(ordered)]
        assert ready, f"flows that wait for each other: {set(FLOWS) - set(ordered)}"
        ordered += ready
    return sorted(ordered, key=lambda flow: flow == "governance/catalog")


def test_every_job_succeeds_on_this_very_machine(warehouse: Warehouse) -> None:
    real = Warehouse(
        warehouse.folder, warehouse.machine, {"HOST_PROC": "/proc", "HOST_ETC": "/etc", "HOST_SYS": "/sys"}
    )
    at = this_minute()

    finished = {flow: real.run(flow, at, timedelta(hours=1)) for flow in in_order()}

    assert {flow: (one.code, one.complained) for flow, one in finished.items()} == dict.fromkeys(FLOWS, (0, ""))
    assert all(one.said for one in finished.values())
    catalog = real.text("catalog.md")
    assert all(f"| {flow} " in catalog for flow in FLOWS if flow != "governance/catalog")
    assert "[mart/load/latest.md](mart/load/latest.md)" in catalog


@pytest.mark.parametrize("flow", FLOWS)
def test_no_job_succeeds_without_its_input(warehouse: Warehouse, flow: str) -> None:
    """In an empty warehouse on a machine without /proc and /etc."""
    bare = {"HOST_PROC": "/nowhere", "HOST_ETC": "/nowhere", "HOST_SYS": "/nowhere"}

    finished = Warehouse(warehouse.folder, warehouse.machine, bare).run(flow, this_minute())

    assert finished.code in (1, 99)
    assert (finished.said or finished.complained).count("\n") == 0
    assert "Traceback" not in finished.complained
    assert not warehouse.folder.exists() or warehouse.files() == []


@pytest.mark.parametrize("flow", FLOWS)
def test_a_job_outside_sensord_says_what_it_lacks(flow: str) -> None:
    process = subprocess.run(
        command(flow), cwd=CONFIG, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False
    )
    assert process.returncode == 1
    assert process.stderr.strip().endswith(
        "SENSORD_FLOW is not set: sensord sets it for every run, [run.env] sets WAREHOUSE"
    )


def test_an_instant_in_another_form_is_refused(warehouse: Warehouse) -> None:
    odd = Warehouse(warehouse.folder, warehouse.machine, {"SENSORD_LOGICAL_DATE": "2026-08-01 10:00"})
    finished = odd.run("host/facts", this_minute())
    assert finished.code == 1
    assert finished.complained == (
        "host_facts.py: expected an instant such as 2026-08-01T10:00:00Z, got '2026-08-01 10:00'"
    )


def test_a_warehouse_that_cannot_be_written_fails_the_run(warehouse: Warehouse, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    blocked = Warehouse(tmp_path / "file", warehouse.machine)
    finished = blocked.run("host/facts", this_minute())
    assert finished.code == 1
    assert finished.complained.startswith("host_facts.py: [Errno 20] Not a directory: ")


def test_twenty_minutes_at_once_lose_no_row(warehouse: Warehouse) -> None:
    """As many processes as minutes write the same file of the day."""
    noon = this_minute().replace(hour=12, minute=0)
    dates = [noon + number * MINUTE for number in range(20)]
    put = "import tables, os; tables.Journal('t/t', ['logical_date']).put({'logical_date': os.environ['AT']})"
    env = {**os.environ, "WAREHOUSE": str(warehouse.folder), "PYTHONPATH": str(CONFIG / "jobs")}
    processes = [subprocess.Popen([sys.executable, "-c", put], env={**env, "AT": format_instant(at)}) for at in dates]

    assert [process.wait() for process in processes] == [0] * 20
    assert [row["logical_date"] for row in warehouse.rows(f"t/t/{noon:%Y-%m-%d}.csv")] == list(
        map(format_instant, dates)
    )
    assert warehouse.files() == [f"t/t/{noon:%Y-%m-%d}.csv"]


def test_the_catalog_lists_each_table_with_its_newest_file(warehouse: Warehouse) -> None:
    warehouse.put("mart/load/2026-03-01.csv", "logical_date", "2026-03-01T23:59:00Z")
    warehouse.put("mart/load/2026-03-02.csv", "logical_date", "2026-03-02T00:00:00Z", "2026-03-02T00:01:00Z")
    warehouse.put("mart/load/.2026-03-02.csv.draft", "half a")

    said = [warehouse.run("governance/catalog", this_minute()).said for _ in range(2)]

    assert said == ["1 tables, 2 files, 0 pages"] * 2
    assert "| mart/load | 2     | 1   | 2              | 2026-03-02.csv |" in warehouse.text("catalog.md")
