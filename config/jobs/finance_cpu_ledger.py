"""finance/cpu_ledger, every minute: a running total of the processor seconds that this machine has worked.

Each entry opens with what the entry before it closed with, and so waits for the flow's own previous run; what is added
is how far the kernel's counter moved in between. The counter starts again at each boot.
"""

from __future__ import annotations

from tables import Journal, Row
from warehouse import Run, parse, perform, stamp

COLUMNS = ["logical_date", "opening_s", "busy_s", "closing_s", "counter_s", "boot_at", "remark"]


def post(run: Run) -> str:
    ledger = Journal("finance/cpu_ledger", COLUMNS)
    sample = Journal("host/load", ()).read(run.logical_date)
    before = ledger.last(1, before=run.logical_date)
    opening = float(before[0]["closing_s"]) if before else 0.0
    busy, remark = worked(sample, before[0] if before else None)
    closing = opening + busy
    ledger.put(
        {
            "logical_date": stamp(run.logical_date),
            "opening_s": f"{opening:.2f}",
            "busy_s": f"{busy:.2f}",
            "closing_s": f"{closing:.2f}",
            "counter_s": sample["cpu_busy_s"],
            "boot_at": sample["boot_at"],
            "remark": remark,
        }
    )
    note = f" ({remark})" if remark else ""
    return f"{opening:.2f} + {busy:.2f} = {closing:.2f} processor seconds{note}"


def worked(sample: Row, before: Row | None) -> tuple[float, str]:
    """The seconds worked since the entry before, and what there is to say about them."""
    counter = float(sample["cpu_busy_s"])
    if before is None:
        return 0.0, "first entry"
    if is_rebooted(sample, before):
        return counter, "the machine was started anew"
    return counter - float(before["counter_s"]), ""


def is_rebooted(sample: Row, before: Row) -> bool:
    """The counter fell, or the boot lies a minute or more later; less is the clock being set right."""
    moved = (parse(sample["boot_at"]) - parse(before["boot_at"])).total_seconds()
    return float(sample["cpu_busy_s"]) < float(before["counter_s"]) or moved >= 60


if __name__ == "__main__":
    perform(post)
