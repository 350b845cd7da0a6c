"""What hangs on the load: mart/load, finance/cpu_ledger, ops/health and quality/load_rows."""

from datetime import UTC, datetime, timedelta

import pytest

from sensord.core.instant import format_instant
from tests.warehouse.jobs import Warehouse

TEN = datetime(2026, 3, 2, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BOOT = "2026-03-01T00:00:00Z"
LOAD = "logical_date,late_s,load1,mem_total_kib,mem_available_kib,cpu_busy_s,boot_at"
FACTS = "kind,name,value,unit"
MART = "logical_date,late_s,load1,cpus,load_per_cpu,mem_used_mib,mem_used_pct,state,facts_of"
DAY = "2026-03-02.csv"


def sample(at: datetime, load: float = 1.0, busy: float = 100.0, boot: str = BOOT) -> str:
    return f"{format_instant(at)},1,{load},1024000,256000,{busy},{boot}"


def minute(at: datetime, load: str = "1.00", cpus: str = "2", used: str = "75.0", late: str = "1") -> str:
    return f"{format_instant(at)},{late},{load},{cpus},0.50,750,{used},calm,2026-03-02T10:00:00Z"


def test_the_mart_measures_the_load_by_the_processors_of_the_last_facts(warehouse: Warehouse) -> None:
    at = TEN + MINUTE
    warehouse.put(f"host/load/{DAY}", LOAD, sample(TEN, 0.1), sample(at, 3.0))
    warehouse.put("host/facts/20260302T095500Z.csv", FACTS, "cpu,count,1,processors")
    warehouse.put("host/facts/20260302T100000Z.csv", FACTS, "cpu,count,4,processors")
    warehouse.put("host/facts/20260302T100500Z.csv", FACTS, "cpu,count,9,processors")

    finished = warehouse.run("mart/load", at, MINUTE)

    assert finished.said == "busy: 0.75 per processor, 75.0 % of the memory used"
    [row] = warehouse.rows(f"mart/load/{DAY}")
    assert (row["logical_date"], row["cpus"], row["state"]) == ("2026-03-02T10:01:00Z", "4", "busy")
    assert (row["mem_used_mib"], row["facts_of"]) == ("750", "2026-03-02T10:00:00Z")


@pytest.mark.parametrize(("load", "state"), [(1.39, "calm"), (1.4, "busy"), (1.99, "busy"), (2.0, "overloaded")])
def test_a_machine_is_busy_from_seven_tenths_and_overloaded_from_one(
    warehouse: Warehouse, load: float, state: str
) -> None:
    warehouse.put(f"host/load/{DAY}", LOAD, sample(TEN, load))
    warehouse.put("host/facts/20260302T100000Z.csv", FACTS, "cpu,count,2,processors")
    assert warehouse.run("mart/load", TEN, MINUTE).said.startswith(f"{state}:")


def test_the_page_shows_the_newest_quarter_of_an_hour_across_midnight(warehouse: Warehouse) -> None:
    midnight = datetime(2026, 3, 3, tzinfo=UTC)
    warehouse.put("host/facts/20260302T100000Z.csv", FACTS, "cpu,count,2,processors")
    warehouse.put("host/load/2026-03-03.csv", LOAD, sample(midnight))
    older = [minute(midnight - number * MINUTE) for number in range(20, 0, -1)]
    warehouse.put(f"mart/load/{DAY}", MART, *older)

    warehouse.run("mart/load", midnight, MINUTE)
    warehouse.run("mart/load", midnight, MINUTE)

    lines = warehouse.text("mart/load/latest.md").splitlines()
    assert lines[0] == "# The machine's load up to 2026-03-03T00:00:00Z"
    dates = [line.split()[1] for line in lines[4:]]
    assert dates == [format_instant(midnight - number * MINUTE) for number in range(15)]
    assert len(warehouse.rows("mart/load/2026-03-03.csv")) == 1


def test_the_mart_fails_without_its_minute_and_without_facts(warehouse: Warehouse) -> None:
    warehouse.put(f"host/load/{DAY}", LOAD, sample(TEN))
    warehouse.put("host/facts/20260302T100500Z.csv", FACTS, "cpu,count,2,processors")

    no_minute = warehouse.run("mart/load", TEN + MINUTE, MINUTE)
    assert no_minute.code == 1
    assert "mart_load.py: host/load has no row of 2026-03-02T10:01:00Z" in no_minute.complained

    no_facts = warehouse.run("mart/load", TEN, MINUTE)
    assert no_facts.code == 1
    assert "host/facts has no partition at or before 2026-03-02T10:00:00Z" in no_facts.complained

    warehouse.put("host/facts/20260302T100000Z.csv", FACTS, "kernel,release,6,")
    useless = warehouse.run("mart/load", TEN, MINUTE)
    assert useless.complained.endswith("host/facts of 2026-03-02T10:00:00Z does not say how many processors there are")


def test_each_entry_of_the_ledger_opens_with_what_the_last_one_closed_with(warehouse: Warehouse) -> None:
    dates = [TEN, TEN + MINUTE, TEN + 3 * MINUTE]
    lines = [sample(date, busy=busy) for date, busy in zip(dates, [100, 130.5, 140], strict=True)]
    warehouse.put(f"host/load/{DAY}", LOAD, *lines)

    said = [warehouse.run("finance/cpu_ledger", date, MINUTE).said for date in dates]

    assert said == [
        "0.00 + 0.00 = 0.00 processor seconds (first entry)",
        "0.00 + 30.50 = 30.50 processor seconds",
        "30.50 + 9.50 = 40.00 processor seconds",
    ]
    before = warehouse.text(f"finance/cpu_ledger/{DAY}")
    for date in dates:
        warehouse.run("finance/cpu_ledger", date, MINUTE)
    assert warehouse.text(f"finance/cpu_ledger/{DAY}") == before


@pytest.mark.parametrize(
    ("busy", "boot", "said"),
    [
        (7, "2026-03-02T10:00:30Z", "100.00 + 7.00 = 107.00 processor seconds (the machine was started anew)"),
        (207, "2026-03-02T10:00:30Z", "100.00 + 207.00 = 307.00 processor seconds (the machine was started anew)"),
        (207, "2026-03-01T00:00:01Z", "100.00 + 7.00 = 107.00 processor seconds"),
    ],
)
def test_the_ledger_tells_a_new_start_from_a_clock_set_right(
    warehouse: Warehouse, busy: int, boot: str, said: str
) -> None:
    at = TEN + MINUTE
    warehouse.put(f"host/load/{DAY}", LOAD, sample(at, busy=busy, boot=boot))
    header = "logical_date,opening_s,busy_s,closing_s,counter_s,boot_at,remark"
    warehouse.put(f"finance/cpu_ledger/{DAY}", header, f"{format_instant(TEN)},0.00,100.00,100.00,200.00,{BOOT},")

    assert warehouse.run("finance/cpu_ledger", at, MINUTE).said == said


def test_the_ledger_fails_without_its_minute(warehouse: Warehouse) -> None:
    finished = warehouse.run("finance/cpu_ledger", TEN, MINUTE)
    assert finished.code == 1
    assert "host/load has no row of 2026-03-02T10:00:00Z" in finished.complained
    assert warehouse.files() == []


def test_health_finds_what_is_wrong_and_succeeds(warehouse: Warehouse) -> None:
    warehouse.put("host/facts/20260302T100000Z.csv", FACTS, "mount,/not/there/any/more,1,KiB")
    ill = minute(TEN, used="96.1").replace("calm", "overloaded")
    warehouse.put(f"mart/load/{DAY}", MART, ill, minute(TEN + 2 * MINUTE))

    first = warehouse.run("ops/health", TEN, 2 * MINUTE)
    second = warehouse.run("ops/health", TEN + 2 * MINUTE, 2 * MINUTE)

    assert (first.code, first.said) == (0, "overloaded: 0.50 per processor; memory 96.1 % used")
    assert second.said == "well: calm, the fullest of 1 file systems is /not/there/any/more at 0.0 %"
    assert [row["verdict"] for row in warehouse.rows(f"ops/health/{DAY}")] == ["look", "well"]
    assert warehouse.text("ops/health/latest.md").startswith("# Health up to 2026-03-02T10:02:00Z")


def test_health_measures_the_file_systems_that_the_facts_list(warehouse: Warehouse) -> None:
    warehouse.put("host/facts/20260302T100000Z.csv", FACTS, "cpu,count,2,", "mount,/,1,KiB")
    warehouse.put(f"mart/load/{DAY}", MART, minute(TEN))

    warehouse.run("ops/health", TEN, 2 * MINUTE)

    [row] = warehouse.rows(f"ops/health/{DAY}")
    assert row["fullest"] == "/"
    assert 0 < float(row["fullest_pct"]) <= 100


def test_health_fails_without_its_minute(warehouse: Warehouse) -> None:
    finished = warehouse.run("ops/health", TEN, 2 * MINUTE)
    assert finished.code == 1
    assert "mart/load has no row of 2026-03-02T10:00:00Z" in finished.complained


def test_quality_counts_the_rows_of_its_interval_only(warehouse: Warehouse) -> None:
    lates = {0: "1", 1: "1", 3: "61", 5: "60", 6: "1"}
    lines = [minute(TEN + number * MINUTE, late=late) for number, late in lates.items()]
    warehouse.put(f"mart/load/{DAY}", MART, *lines)
    at = TEN + 5 * MINUTE

    said = {warehouse.run("quality/load_rows", at, 5 * MINUTE).said for _ in range(2)}

    assert said == {"3 of 5 rows up to 2026-03-02T10:05:00Z, all of them right, 1 late"}
    [row] = warehouse.rows(f"quality/load_rows/{DAY}")
    assert (row["expected"], row["found"], row["missing"], row["late"]) == ("5", "3", "2", "1")


def test_quality_fails_on_impossible_figures_and_names_each(warehouse: Warehouse) -> None:
    bad = minute(TEN, load="-1.00", cpus="0", used="100.1")
    warehouse.put(f"mart/load/{DAY}", MART, minute(TEN - MINUTE), bad)

    finished = warehouse.run("quality/load_rows", TEN, 5 * MINUTE)

    assert finished.code == 1
    assert finished.complained == (
        "quality_load_rows.py: 4 wrong figures in mart/load: "
        "2026-03-02T09:59:00Z: facts of 2026-03-02T10:00:00Z come after it; "
        "2026-03-02T10:00:00Z: mem_used_pct is 100.1; 2026-03-02T10:00:00Z: load1 is -1.00; "
        "2026-03-02T10:00:00Z: cpus is 0"
    )


def test_quality_has_nothing_to_say_of_minutes_without_rows(warehouse: Warehouse) -> None:
    finished = warehouse.run("quality/load_rows", TEN, 5 * MINUTE)
    assert finished.code == 99
    assert finished.said == "skipped: mart/load has no row between 2026-03-02T09:55:00Z and 2026-03-02T10:00:00Z"
