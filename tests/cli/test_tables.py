"""Every table on terminals of 80 and of 120 columns, and piped: what fits is whole, nothing is too wide."""

import pytest

from sensord.cli import render
from tests.cli.program import Program
from tests.daemon.world import DAILY, HOURLY, World, on

TABLES = [["status"], ["run", "list"], ["flow", "list"], ["simulate", "--to", "2026-11-22T14:00Z"]]
LONG = "finance/revenue_by_country_daily"


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
    world.clock.set(world.clock.now().replace(hour=10, minute=47))
    return world


@pytest.mark.parametrize("words", TABLES, ids=" ".join)
@pytest.mark.parametrize("width", [80, 120])
def test_a_table_fits_the_terminal(
    busy: World, sensord: Program, monkeypatch: pytest.MonkeyPatch, words: list[str], width: int
) -> None:
    monkeypatch.setattr(render, "terminal_width", lambda: width)
    lines = sensord(*words).lines
    start = next(number for number, line in enumerate(lines) if line.startswith("FLOW"))
    table = lines[start : start + 4]
    assert max(map(len, table)) <= width
    assert sum(line.startswith(LONG) for line in table) == 1


@pytest.mark.parametrize("words", TABLES, ids=" ".join)
def test_piped_it_has_all_columns_and_whole_texts(
    busy: World, sensord: Program, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    piped = sensord(*words).lines
    monkeypatch.setattr(render, "terminal_width", lambda: 500)
    wide = sensord(*words).lines
    assert piped[1:] == wide[1 : len(piped)]
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
