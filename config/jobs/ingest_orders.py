"""ingest/orders, every hour: who holds the machine's memory.

Where the orders come from: this machine rents its memory to its users. Each process that lives when the hour is counted
is one order: its owner (the user id in /proc) is the customer, its program the item, and the price is 1 cent for each
MiB of memory it holds in that hour. The kernel's own threads order nothing.

A past hour cannot be counted again. A rerun within two hours counts anew; later it keeps what was counted in time, and
an hour that nobody counted in time is skipped.
"""

from __future__ import annotations

from datetime import timedelta

from machine import processes
from tables import Snapshot
from warehouse import Lacking, Run, Skip, now, perform, stamp

COLUMNS = ["order_id", "customer_id", "item", "started_at", "counted_at", "memory_kib", "amount_cents"]
TOO_LATE = timedelta(hours=2)


def ingest(run: Run) -> str:
    orders = Snapshot("ingest/orders", COLUMNS)
    counted_at = now()
    if counted_at - run.logical_date > TOO_LATE:
        if orders.holds(run.logical_date):
            return f"kept the {len(orders.read(run.logical_date))} orders of {stamp(run.end)}, counted in time"
        raise Skip(f"the orders of {stamp(run.end)} cannot be counted any more at {stamp(counted_at)}")
    rows = [
        {
            "order_id": f"{process.pid}-{process.started_at:%Y%m%d%H%M%S}",
            "customer_id": str(process.uid),
            "item": process.name,
            "started_at": stamp(process.started_at),
            "counted_at": stamp(counted_at),
            "memory_kib": str(process.memory_kib),
            "amount_cents": str(-(-process.memory_kib // 1024)),
        }
        for process in processes()
    ]
    if not rows:
        raise Lacking("found no process at all: is /proc mounted, and does it show this user any?")
    orders.write(run.logical_date, rows)
    customers = len({row["customer_id"] for row in rows})
    return f"{len(rows)} orders of {customers} customers for the hour that ended {stamp(run.end)}"


if __name__ == "__main__":
    perform(ingest)
