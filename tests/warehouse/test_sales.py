"""The sales: mart/sales_hourly on its two upstreams, finance/revenue_daily on the hours of a day."""

from datetime import UTC, datetime, timedelta

from tests.warehouse.jobs import Warehouse

TEN = datetime(2026, 3, 2, 10, tzinfo=UTC)
ELEVEN = TEN + timedelta(hours=1)
ORDERS = "order_id,customer_id,item,memory_kib,amount_cents"
CUSTOMERS = "customer_id,name,segment"
SALES = "customer_id,name,segment,orders,memory_mib,revenue_cents,dearest_item"


def furnish(warehouse: Warehouse) -> None:
    """Orders of two hours, customers of two days."""
    warehouse.put("ingest/orders/20260302T100000Z.csv", ORDERS, "1,0,init,2048,2", "2,7,db,10240,10", "3,7,web,5120,5")
    warehouse.put("ingest/orders/20260302T110000Z.csv", ORDERS, "1,0,init,1024,1")
    warehouse.put("dim/customers/20260301T020000Z.csv", CUSTOMERS, "0,old-root,system")
    warehouse.put("dim/customers/20260302T020000Z.csv", CUSTOMERS, "0,root,system", "9,eve,person")
    warehouse.put("dim/customers/20260303T020000Z.csv", CUSTOMERS, "0,tomorrow,system")


def test_sales_join_the_orders_of_the_hour_with_the_last_customers_before_it(warehouse: Warehouse) -> None:
    furnish(warehouse)

    finished = warehouse.run("mart/sales_hourly", TEN)

    assert finished.said == (
        "0.17 from 3 orders of 2 customers in the hour that ended 2026-03-02T10:00:00Z; "
        "customers as of 2026-03-02T02:00:00Z"
    )
    assert warehouse.text("mart/sales_hourly/20260302T100000Z.csv").splitlines() == [
        SALES,
        "7,(unknown),(unknown),2,15,15,db",
        "0,root,system,1,2,2,init",
    ]
    assert "| 7           | (unknown) |" in warehouse.text("mart/sales_hourly/latest.md")


def test_the_page_shows_the_newest_hour_whichever_was_built_last(warehouse: Warehouse) -> None:
    furnish(warehouse)
    warehouse.run("mart/sales_hourly", ELEVEN)
    warehouse.run("mart/sales_hourly", TEN)

    assert warehouse.text("mart/sales_hourly/latest.md").startswith("# Sales of the hour that ended 2026-03-02T11:00")


def test_building_an_hour_again_changes_nothing(warehouse: Warehouse) -> None:
    furnish(warehouse)
    warehouse.run("mart/sales_hourly", TEN)
    before = {name: warehouse.text(name) for name in warehouse.files()}

    warehouse.run("mart/sales_hourly", TEN)

    assert {name: warehouse.text(name) for name in warehouse.files()} == before


def test_sales_without_orders_of_the_hour_fail_and_say_which(warehouse: Warehouse) -> None:
    furnish(warehouse)

    finished = warehouse.run("mart/sales_hourly", ELEVEN + timedelta(hours=1))

    assert finished.code == 1
    assert finished.complained.startswith(
        "mart_sales_hourly.py: ingest/orders has no partition of 2026-03-02T12:00:00Z (looked for "
    )


def test_sales_without_any_customers_before_the_hour_fail(warehouse: Warehouse) -> None:
    warehouse.put("ingest/orders/20260302T100000Z.csv", ORDERS, "1,0,init,2048,2")
    warehouse.put("dim/customers/20260303T020000Z.csv", CUSTOMERS, "0,tomorrow,system")

    finished = warehouse.run("mart/sales_hourly", TEN)

    assert finished.code == 1
    assert "dim/customers has no partition at or before 2026-03-02T10:00:00Z" in finished.complained
    assert not (warehouse.folder / "mart").exists()


def test_a_day_adds_up_its_hours_and_takes_the_newest_name(warehouse: Warehouse) -> None:
    midnight = datetime(2026, 3, 3, tzinfo=UTC)
    day = timedelta(days=1)
    for hour, line in [
        ("20260302T000000Z", "0,yesterday,system,1,1,1000,x"),
        ("20260302T010000Z", "0,root,system,1,1,100,x"),
        ("20260303T000000Z", "0,admin,system,2,1,50,x"),
        ("20260303T010000Z", "0,tomorrow,system,1,1,1000,x"),
    ]:
        warehouse.put(f"mart/sales_hourly/{hour}.csv", SALES, line)

    finished = warehouse.run("finance/revenue_daily", midnight, day)

    assert finished.said == "1.50 in 2 of 24 hours"
    [row] = warehouse.rows("finance/revenue_daily/20260303T000000Z.csv")
    assert (row["name"], row["hours"], row["orders"], row["revenue_cents"]) == ("admin", "2", "3", "150")
    page = warehouse.text("finance/revenue_daily/latest.md")
    assert page.startswith("# Revenue of the day that ended 2026-03-03T00:00:00Z: 1.50 in 2 of 24 hours")

    earlier = warehouse.run("finance/revenue_daily", midnight - timedelta(hours=1), timedelta(hours=23))
    assert earlier.said == "1.00 in 1 of 23 hours"
    assert warehouse.text("finance/revenue_daily/latest.md") == page


def test_a_day_without_any_hour_is_skipped(warehouse: Warehouse) -> None:
    finished = warehouse.run("finance/revenue_daily", datetime(2026, 3, 3, tzinfo=UTC), timedelta(days=1))

    assert (finished.code, warehouse.files()) == (99, [])
    assert finished.said == ("skipped: there is no hour of sales between 2026-03-02T00:00:00Z and 2026-03-03T00:00:00Z")
