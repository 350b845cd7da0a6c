"""host/load, every minute: the machine's own figures, one row a minute.

A past minute cannot be measured again. Up to five minutes late the row says how late it is; later a rerun keeps the row
that was measured in time, and a minute that nobody measured (the machine slept, the daemon was down) is skipped.
"""

from __future__ import annotations

from datetime import timedelta

from machine import load, memory, processors
from tables import Journal
from warehouse import Run, Skip, now, perform, stamp

COLUMNS = ["logical_date", "sampled_at", "late_s", "load1", "load5", "load15", "running", "tasks"]
COLUMNS += ["mem_total_kib", "mem_available_kib", "cpu_busy_s", "boot_at"]
TOO_LATE = timedelta(minutes=5)


def sample(run: Run) -> str:
    journal = Journal("host/load", COLUMNS)
    sampled_at = now()
    late = sampled_at - run.logical_date
    if late > TOO_LATE:
        row = journal.find(run.logical_date)
        if row:
            return f"kept the sample of {row['sampled_at']}"
        raise Skip(f"the figures of {stamp(run.logical_date)} cannot be read any more at {stamp(sampled_at)}")
    total_kib, available_kib = memory()
    _, busy_s, boot_at = processors()
    figures = load()
    measured = {
        "logical_date": stamp(run.logical_date),
        "sampled_at": stamp(sampled_at),
        "late_s": str(int(late.total_seconds())),
        "mem_total_kib": str(total_kib),
        "mem_available_kib": str(available_kib),
        "cpu_busy_s": f"{busy_s:.2f}",
        "boot_at": stamp(boot_at),
    }
    journal.put({**measured, **figures})
    return f"load {figures['load1']}, {available_kib / 1024 / 1024:.1f} of {total_kib / 1024 / 1024:.1f} GiB available"


if __name__ == "__main__":
    perform(sample)
