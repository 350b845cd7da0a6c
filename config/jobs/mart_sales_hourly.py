"""mart/sales_hourly, every hour: the hour's orders by customer, dearest first.

Joins ingest/orders of the same hour with the newest dim/customers at or before it: just what its two sensors wait for.
An order whose customer the dimension does not know is kept, as `(unknown)`.
"""

from __future__ import annotations

from tables import Row, Snapshot, markdown
from warehouse import Run, perform, stamp, write_whole

COLUMNS = ["customer_id", "name", "segment", "orders", "memory_mib", "revenue_cents", "dearest_item"]
UNKNOWN = {"name": "(unknown)", "segment": "(unknown)"}


def build(run: Run) -> str:
    orders = Snapshot("ingest/orders", ()).read(run.logical_date)
    dimension = Snapshot("dim/customers", ())
    customers_of = dimension.newest(run.logical_date)
    customers = {row["customer_id"]: row for row in dimension.read(customers_of)}
    by_customer: dict[str, list[Row]] = {}
    for order in orders:
        by_customer.setdefault(order["customer_id"], []).append(order)
    rows = [sum_up(customer_id, customers.get(customer_id, UNKNOWN), own) for customer_id, own in by_customer.items()]
    rows.sort(key=lambda row: (-int(row["revenue_cents"]), int(row["customer_id"])))
    sales = Snapshot("mart/sales_hourly", COLUMNS)
    sales.write(run.logical_date, rows)
    publish(sales)
    revenue = sum(int(row["revenue_cents"]) for row in rows)
    return (
        f"{revenue / 100:.2f} from {len(orders)} orders of {len(rows)} customers in the hour that ended "
        f"{stamp(run.end)}; customers as of {stamp(customers_of)}"
    )


def sum_up(customer_id: str, customer: Row, orders: list[Row]) -> Row:
    return {
        "customer_id": customer_id,
        "name": customer["name"],
        "segment": customer["segment"],
        "orders": str(len(orders)),
        "memory_mib": str(round(sum(int(order["memory_kib"]) for order in orders) / 1024)),
        "revenue_cents": str(sum(int(order["amount_cents"]) for order in orders)),
        "dearest_item": max(orders, key=lambda order: int(order["amount_cents"]))["item"],
    }


def publish(sales: Snapshot) -> None:
    """The newest hour as a page; a rerun of an older one leaves it in place."""
    newest = sales.dates()[-1]
    page = f"# Sales of the hour that ended {stamp(newest)}\n\n{markdown(COLUMNS, sales.read(newest))}"
    write_whole(sales.folder / "latest.md", page)


if __name__ == "__main__":
    perform(build)
