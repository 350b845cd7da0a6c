"""mart/load, every minute: how hard this machine works for its size, and a page of the last quarter of an hour.

Joins the figures of the same minute (host/load) with the newest facts at or before it (host/facts).
"""

from __future__ import annotations

from tables import Journal, Snapshot, markdown
from warehouse import Lacking, Run, locked, perform, stamp, write_whole

COLUMNS = [
    "logical_date",
    "late_s",
    "load1",
    "cpus",
    "load_per_cpu",
    "mem_used_mib",
    "mem_used_pct",
    "state",
    "facts_of",
]
BUSY, OVERLOADED = 0.7, 1.0
"""From this load per processor on, the machine is called so."""


def build(run: Run) -> str:
    figures = Journal("host/load", ()).read(run.logical_date)
    facts = Snapshot("host/facts", ())
    facts_of = facts.newest(run.logical_date)
    known = {(row["kind"], row["name"]): row["value"] for row in facts.read(facts_of)}
    if ("cpu", "count") not in known:
        raise Lacking(f"host/facts of {stamp(facts_of)} does not say how many processors there are")
    cpus, load = int(known["cpu", "count"]), float(figures["load1"])
    total_kib = int(figures["mem_total_kib"])
    used_kib = total_kib - int(figures["mem_available_kib"])
    row = {
        "logical_date": stamp(run.logical_date),
        "late_s": figures["late_s"],
        "load1": figures["load1"],
        "cpus": str(cpus),
        "load_per_cpu": f"{load / cpus:.2f}",
        "mem_used_mib": str(used_kib // 1024),
        "mem_used_pct": f"{100 * used_kib / total_kib:.1f}",
        "state": name_state(load / cpus),
        "facts_of": stamp(facts_of),
    }
    mart = Journal("mart/load", COLUMNS)
    mart.put(row)
    publish(mart)
    return f"{row['state']}: {row['load_per_cpu']} per processor, {row['mem_used_pct']} % of the memory used"


def name_state(load_per_cpu: float) -> str:
    if load_per_cpu >= OVERLOADED:
        return "overloaded"
    return "busy" if load_per_cpu >= BUSY else "calm"


def publish(mart: Journal) -> None:
    """The newest minutes as a page; under the lock, so that an older page never replaces a newer one."""
    with locked(mart.folder):
        rows = mart.last(15)
        page = f"# The machine's load up to {rows[-1]['logical_date']}\n\n{markdown(COLUMNS, rows[::-1])}"
        write_whole(mart.folder / "latest.md", page)


if __name__ == "__main__":
    perform(build)
