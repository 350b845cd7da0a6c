"""ops/health, every two minutes: is this machine well?

Reads the newest minute of mart/load, and asks each file system that host/facts lists how full it is. A machine that is
not well is a finding, not a failure: the run succeeds and says so.
"""

from __future__ import annotations

import os

from tables import Journal, Row, Snapshot, markdown
from warehouse import Run, locked, perform, stamp, write_whole

COLUMNS = ["logical_date", "verdict", "state", "load_per_cpu", "mem_used_pct", "fullest", "fullest_pct"]
FULL_MEMORY, FULL_DISK = 95.0, 90.0


def examine(run: Run) -> str:
    minute = Journal("mart/load", ()).read(run.logical_date)
    facts = Snapshot("host/facts", ())
    mounts = [row["name"] for row in facts.read(facts.newest(run.logical_date)) if row["kind"] == "mount"]
    fullest_pct, fullest = max(((fill(point), point) for point in mounts), default=(0.0, ""))
    findings = find(minute, fullest, fullest_pct)
    row = {
        "logical_date": stamp(run.logical_date),
        "verdict": "well" if not findings else "look",
        "state": minute["state"],
        "load_per_cpu": minute["load_per_cpu"],
        "mem_used_pct": minute["mem_used_pct"],
        "fullest": fullest,
        "fullest_pct": f"{fullest_pct:.1f}",
    }
    health = Journal("ops/health", COLUMNS)
    health.put(row)
    with locked(health.folder):
        rows = health.last(15)
        page = f"# Health up to {rows[-1]['logical_date']}\n\n{markdown(COLUMNS, rows[::-1])}"
        write_whole(health.folder / "latest.md", page)
    disk = (
        f"the fullest of {len(mounts)} file systems is {fullest} at {fullest_pct:.1f} %" if mounts else "no disk seen"
    )
    return "; ".join(findings) or f"well: {minute['state']}, {disk}"


def find(minute: Row, fullest: str, fullest_pct: float) -> list[str]:
    findings = []
    if minute["state"] == "overloaded":
        findings.append(f"overloaded: {minute['load_per_cpu']} per processor")
    if float(minute["mem_used_pct"]) > FULL_MEMORY:
        findings.append(f"memory {minute['mem_used_pct']} % used")
    if fullest_pct > FULL_DISK:
        findings.append(f"{fullest} {fullest_pct:.1f} % full")
    return findings


def fill(point: str) -> float:
    """Per cent in use, as df counts it; 0 where the file system has gone since the facts were taken."""
    try:
        size = os.statvfs(point)
    except FileNotFoundError:
        return 0.0
    used = size.f_blocks - size.f_bfree
    return 100 * used / max(used + size.f_bavail, 1)


if __name__ == "__main__":
    perform(examine)
