"""Every table on terminals of 80 and of 120 columns, and piped: what fits is whole, nothing is too wide."""

import pytest

from sensord.cli import render
from tests.cli.program import Program
from tests.daemon.world import DAILY, HOURLY, World, on

LONG = "finance/revenue_by_country_daily"
TABLES = {
    "status": "FLOW",
    "run list": "FLOW",
    "run show ingest/shop_orders": "ATTEMPT",
    "flow list": "FLOW",
    f"flow show {LONG} --resolved": "KEY",
    "backfill list": "BACKFILL",
    "simulate --to 2026-11-22T14:00Z": "FLOW",
}
"""What shows a table, and the title of its first column."""


@pytest.fixture
def busy(world: World) -> World:
    """Names as long as people give them, owners, zones, and a reason that is a whole sentence."""
    owner = 'owner = "finance-data-team@example.org"\n'
    world.flow("dim/customers", owner, DAILY)
    world.flow("ingest/shop_orders", owner, HOURLY.replace("[run]", 'timezone = "Europe/Amsterdam"\n[run]'))
    world.flow(LONG, owner, HOURLY, on("ingest/shop_orders"), on("dim/customers"))
    world.start()
    world.tick()
    world.end("ingest/shop_orders", "2026-11-22T10:00", 3)
    world.tick()
    world.daemon.change("backfill", {"flow": LONG, "from": "2026-11-20T02:00+00:00", "to": "2026-11-20T09:00+00:00"})
    world.clock.set(world.clock.now().replace(hour=10, minute=47))
    return world


def table_of(lines: list[str], title: str) -> list[str]:
    """Its titles and rows, up to the next empty line."""
    start = next(number for number, line in enumerate(lines) if line.lstrip().startswith(title))
    end = next((number for number, line in enumerate(lines) if number > start and not line.strip()), len(lines))
    assert end - start > 1
    return lines[start:end]


@pytest.mark.parametrize(("words", "title"), TABLES.items())
@pytest.mark.parametrize("width", [80, 120])
def test_a_table_fits_the_terminal(
    busy: World, sensord: Program, monkeypatch: pytest.MonkeyPatch, words: str, title: str, width: int
) -> None:
    monkeypatch.setattr(render, "terminal_width", lambda: width)
    table = table_of(sensord(*words.split()).lines, title)
    assert max(map(len, table)) <= width
    if title in ("FLOW", "BACKFILL"):
        assert sum(LONG in line for line in table) == 1


@pytest.mark.parametrize(("words", "title"), TABLES.items())
def test_piped_it_has_all_columns_and_whole_texts(
    busy: World, sensord: Program, monkeypatch: pytest.MonkeyPatch, words: str, title: str
) -> None:
    piped = table_of(sensord(*words.split()).lines, title)
    monkeypatch.setattr(render, "terminal_width", lambda: 500)
    assert piped == table_of(sensord(*words.split()).lines, title)
    assert not [line for line in piped if "…" in line or line.endswith(" ")]


def test_at_80_columns_the_state_and_the_reason_are_what_stays(
    busy: World, sensord: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render, "terminal_width", lambda: 80)
    lines = sensord("status").lines
    assert lines[2:6] == [
        "FLOW                              NEWEST                STATE    WHY",
        "dim/customers                     2026-11-22T02:00:00Z  running  -",
        f"{LONG}  2026-11-22T10:00:00Z  waiting  blocked by ing…",
        "ingest/shop_orders                2026-11-22T10:00:00Z  failed   exit 3",
    ]
