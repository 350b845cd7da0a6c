"""A daemon that has taken the lead, and finds that it cannot lead yet."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sensord.daemon.dispatch import Place
from sensord.daemon.signals import Signals
from sensord.daemon.turns import take_turns
from sensord.errors import Locked, SensordError
from sensord.store.database import Database
from sensord.store.heart import Heart
from sensord.store.lead import Holder, Lead
from sensord.testing import ManualClock, ManualExecutor
from tests.daemon.world import at


@pytest.fixture
def dialect() -> str:
    return "postgresql"


class Seat(SimpleNamespace):
    """Of a daemon that is told to stop as soon as it leads; before that, it meets these errors."""

    terms: list[int]
    errors: list[SensordError]

    def lead(self, lead: Lead, heart: Heart, *, follows: bool) -> None:
        self.terms.append(lead.term)
        if self.errors:
            raise self.errors.pop()


def seat(db: Database, signals: Signals, folder: Path, *errors: SensordError) -> Any:
    clock = ManualClock(at("2026-11-22T10:30"))
    place = Place("manual", "etl1", "here", folder, {})
    return Seat(
        db=db,
        executor=ManualExecutor(clock),
        signals=signals,
        place=place,
        clock=clock,
        draining=False,
        terms=[],
        errors=list(errors),
    )


def test_what_somebody_keeps_locked_it_tries_again_to_take_up(
    db: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody else may try before."""
    with Signals() as signals:
        one = seat(db, signals, tmp_path, Locked("lock timeout"))

        take_turns(one, Holder("etl1", 4711, "test", "here"))

    assert one.terms == [1, 2]
    assert "it leads no longer: lock timeout" in caplog.text


def test_any_other_error_ends_it(db: Database, tmp_path: Path, open_db: Callable[[str], Database]) -> None:
    with Signals() as signals, pytest.raises(SensordError, match="a newer schema"):
        take_turns(seat(db, signals, tmp_path, SensordError("a newer schema")), Holder("etl1", 4711, "test", "here"))

    assert Lead.take(open_db(db.url), Holder("etl2", 4712, "test", "there")).term == 2
