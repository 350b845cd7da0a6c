"""Planning cursors: how far each flow is planned, and where it began."""

from sensord.store import flows
from sensord.store.database import Database
from tests.store.rows import make_flows


def test_a_cursor_goes_to_the_last_of_several_batches_and_the_first_date_is_that_of_the_first(db: Database) -> None:
    with db.transaction() as tx:
        ids = make_flows(tx, "orders", "sales")

        flows.advance(
            tx, [(ids["orders"], 20, 11), (ids["sales"], 5, 5), (ids["orders"], 30, 21), (ids["orders"], 10, 1)]
        )

        found = {row.name: (row.planned_to, row.first_date) for row in flows.all_flows(tx)}
    assert found == {"orders": (30, 1), "sales": (5, 5)}


def test_it_never_goes_back(db: Database) -> None:
    with db.transaction() as tx:
        ids = make_flows(tx, "orders")
        flows.advance(tx, [(ids["orders"], 20, 11)])

        flows.advance(tx, [(ids["orders"], 15, 3)])

        (row,) = flows.all_flows(tx)
    assert (row.planned_to, row.first_date) == (20, 11)
