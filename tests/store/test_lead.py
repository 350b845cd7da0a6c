"""Who leads, as both databases tell it: one daemon at a time, known by name, followed at once when it lets go."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from sensord.errors import DaemonRunning, LeadLost
from sensord.store.database import Database
from sensord.store.lead import Holder, Lead, current_leader

FIRST = Holder("etl1", 4711, "0.1.0")
SECOND = Holder("etl2", 4712, "0.1.1")


@pytest.fixture
def other(db: Database, open_db: Callable[[str], Database]) -> Database:
    """A second daemon's connection to the same database."""
    return open_db(db.url)


def while_renewing(lead: Lead) -> Callable[[float], None]:
    """Waits no time, in which the first daemon shows that it is alive."""

    def wait(_: float) -> None:
        lead.renew_every = 0  # however little time has passed
        lead.renew()

    return wait


def test_nobody_leads_at_first(db: Database) -> None:
    assert current_leader(db) is None


def test_everybody_can_see_who_leads(db: Database, other: Database) -> None:
    Lead.take(db, FIRST)

    leader = current_leader(other)

    assert leader is not None
    assert leader.holder == FIRST
    assert abs(leader.started_at - datetime.now(UTC)) < timedelta(minutes=5)


def test_a_reader_can_see_it_too(db: Database) -> None:
    Lead.take(db, FIRST)

    with Database.open(db.url, readonly=True) as reader:
        leader = current_leader(reader)

    assert leader is not None
    assert leader.holder == FIRST


def test_a_second_daemon_is_refused_and_told_about_the_first(db: Database, other: Database) -> None:
    first = Lead.take(db, FIRST)

    with pytest.raises(DaemonRunning, match=r"process 4711 on etl1, since 20.*Z, sensord 0\.1\.0") as caught:
        Lead.take(other, SECOND, wait=while_renewing(first))

    assert caught.value.hint == "sensord daemon status, sensord daemon stop"
    assert "***" not in str(caught.value)


def test_the_lead_that_was_let_go_is_free_at_once(db: Database, other: Database) -> None:
    Lead.take(db, FIRST).release()
    assert current_leader(other) is None

    Lead.take(other, SECOND, wait=lambda _: pytest.fail("there is nothing to wait for"))

    leader = current_leader(db)
    assert leader is not None
    assert leader.holder == SECOND


def test_letting_go_twice_does_no_harm_to_the_next_one(db: Database, other: Database) -> None:
    first = Lead.take(db, FIRST)
    first.release()
    Lead.take(other, SECOND)

    first.release()

    leader = current_leader(db)
    assert leader is not None
    assert leader.holder == SECOND


def test_a_leader_keeps_its_lead_and_decides(db: Database) -> None:
    lead = Lead.take(db, FIRST)

    while_renewing(lead)(0)
    with db.transaction() as tx:
        lead.guard(tx)

    leader = current_leader(db)
    assert leader is not None
    assert leader.holder == FIRST
    assert leader.term == lead.term


def test_who_let_go_cannot_renew(db: Database, other: Database) -> None:
    first = Lead.take(db, FIRST)
    first.release()
    Lead.take(other, SECOND)

    with pytest.raises(LeadLost):
        while_renewing(first)(0)
