"""Which missed ticks a flow runs: the meaning of those keys of `[schedule]`. Which are missed is core/catchup.py's."""

from datetime import timedelta
from typing import Any

from sensord.config.build_limits import to_span
from sensord.config.report import Report
from sensord.config.tables import ScheduleTable
from sensord.core.flow import Catchup
from sensord.errors import InvalidValue


def build_catchup(table: ScheduleTable, report: Report) -> dict[str, Any]:
    """The fields of Flow: catchup, catchup_limit, late_limit, those that are there. What is wrong goes to `report`."""
    limit = table.catchup_limit
    fields = {
        "catchup": Catchup(table.catchup) if table.catchup else None,
        "catchup_limit": _read_span("catchup_limit", limit, report) if isinstance(limit, str) else limit,
        "late_limit": _read_span("late_limit", table.late_limit, report),
    }
    if fields["catchup_limit"] == timedelta():
        report.at_value(("schedule", "catchup_limit"), "expected a duration longer than zero, got none at all")
    return {key: value for key, value in fields.items() if value is not None}


def _read_span(key: str, text: str | None, report: Report) -> timedelta | None:
    if text is None:
        return None
    try:
        return to_span(text)
    except InvalidValue as error:
        report.refuse(("schedule", key), error)
        return None
