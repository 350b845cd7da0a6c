"""finance/revenue_daily, at midnight: the revenue of the day's hours, by customer.

Adds up mart/sales_hourly over the day that ends; in its zone that is 23 or 25 hours where the clocks change. Hours that
were skipped (the machine was off) are missing from the sum, and the page says how many.
"""

from __future__ import annotations

from datetime import timedelta

from tables import Row, Snapshot, markdown
from warehouse import Run, Skip, perform, stamp, write_whole

COLUMNS = ["customer_id", "name", "segment", "hours", "orders", "revenue_cents"]


def close_day(run: Run) -> str:
    sales = Snapshot("mart/sales_hourly", ())
    hours = [date for date in sales.dates() if run.start < date <= run.end]
    if not hours:
        raise Skip(f"there is no hour of sales between {stamp(run.start)} and {stamp(run.end)}")
    totals: dict[str, Row] = {}
    for hour in hours:
        for row in sales.read(hour):
            add(totals, row)
    rows = sorted(totals.values(), key=lambda row: (-int(row["revenue_cents"]), int(row["customer_id"])))
    revenue = Snapshot("finance/revenue_daily", COLUMNS)
    revenue.write(run.logical_date, rows)
    cents = sum(int(row["revenue_cents"]) for row in rows)
    said = f"{cents / 100:.2f} in {len(hours)} of {(run.end - run.start) // timedelta(hours=1)} hours"
    if run.logical_date == revenue.dates()[-1]:
        page = f"# Revenue of the day that ended {stamp(run.end)}: {said}\n\n{markdown(COLUMNS, rows)}"
        write_whole(revenue.folder / "latest.md", page)
    return said


def add(totals: dict[str, Row], sale: Row) -> None:
    """The names are those of the newest hour, since the hours come oldest first."""
    old = totals.get(sale["customer_id"], {"hours": "0", "orders": "0", "revenue_cents": "0"})
    totals[sale["customer_id"]] = {
        "customer_id": sale["customer_id"],
        "name": sale["name"],
        "segment": sale["segment"],
        "hours": str(int(old["hours"]) + 1),
        "orders": str(int(old["orders"]) + int(sale["orders"])),
        "revenue_cents": str(int(old["revenue_cents"]) + int(sale["revenue_cents"])),
    }


if __name__ == "__main__":
    perform(close_day)
