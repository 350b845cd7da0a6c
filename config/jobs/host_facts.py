"""host/facts, every five minutes: what changes slowly about this machine, rebuilt whole as a small dimension.

Kernel, processors, memory, local file systems, disks. Keeps about a week of it.
"""

from __future__ import annotations

from machine import disks, file_systems, memory, proc, processors, read
from tables import Row, Snapshot
from warehouse import Run, perform, stamp

COLUMNS = ["kind", "name", "value", "unit"]
KEPT = 2000


def rebuild(run: Run) -> str:
    total_kib, _ = memory()
    count, _, boot_at = processors()
    kernel = read(proc("sys/kernel/osrelease")).strip()
    mounts = {point: size.f_blocks * size.f_frsize // 1024 for point, size in file_systems().items()}
    rows = [
        fact("kernel", "release", kernel),
        fact("kernel", "booted", stamp(boot_at)),
        fact("cpu", "count", str(count), "processors"),
        fact("memory", "total", str(total_kib), "KiB"),
    ]
    rows += [fact("mount", point, str(kib), "KiB") for point, kib in sorted(mounts.items())]
    rows += [fact("disk", name, str(kib), "KiB") for name, kib in disks().items()]
    table = Snapshot("host/facts", COLUMNS)
    table.write(run.logical_date, rows)
    table.keep(KEPT)
    return f"Linux {kernel}, {count} processors, {total_kib / 1024 / 1024:.1f} GiB, {len(mounts)} local file systems"


def fact(kind: str, name: str, value: str, unit: str = "") -> Row:
    return {"kind": kind, "name": name, "value": value, "unit": unit}


if __name__ == "__main__":
    perform(rebuild)
