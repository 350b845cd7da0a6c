"""The jobs that read the machine: ingest/orders, dim/customers, host/load and host/facts."""

import importlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sensord.core.instant import format_instant
from tests.warehouse.jobs import CONFIG, Machine, Warehouse, this_minute

LONG_AGO = datetime(2026, 1, 5, 10, tzinfo=UTC)
FACTS = "host/facts/20260105T100000Z.csv"


def partition(at: datetime) -> str:
    return f"{at:%Y%m%dT%H%M%SZ}.csv"


def test_an_order_is_a_process_at_a_cent_for_each_mebibyte_begun(warehouse: Warehouse) -> None:
    at = this_minute()

    finished = warehouse.run("ingest/orders", at)

    assert finished.code == 0
    assert finished.said == f"2 orders of 2 customers for the hour that ended {format_instant(at)}"
    init, shop = warehouse.rows(f"ingest/orders/{partition(at)}")
    assert (init["customer_id"], init["item"], init["amount_cents"]) == ("0", "init", "2")
    assert (shop["customer_id"], shop["item"], shop["amount_cents"]) == ("1000", "shop (v2)", "11")
    assert (shop["order_id"], shop["started_at"]) == ("70-20260101010000", "2026-01-01T01:00:00Z")


def test_counting_an_hour_again_replaces_its_orders_and_leaves_other_hours_alone(
    warehouse: Warehouse, machine: Machine
) -> None:
    at = this_minute()
    before = at - timedelta(hours=1)
    warehouse.run("ingest/orders", before)
    warehouse.run("ingest/orders", at)
    first = warehouse.text(f"ingest/orders/{partition(before)}")
    machine.start(71, "new", 1000, 100)

    again = warehouse.run("ingest/orders", at)

    assert again.said.startswith("3 orders")
    assert len(warehouse.rows(f"ingest/orders/{partition(at)}")) == 3
    assert warehouse.text(f"ingest/orders/{partition(before)}") == first
    assert warehouse.files() == sorted(f"ingest/orders/{partition(date)}" for date in (before, at))


def test_an_hour_long_past_is_skipped_unless_it_was_counted_in_time(warehouse: Warehouse) -> None:
    skipped = warehouse.run("ingest/orders", LONG_AGO)
    assert (skipped.code, warehouse.files()) == (99, [])
    assert skipped.said.startswith("skipped: the orders of 2026-01-05T10:00:00Z cannot be counted any more")

    warehouse.put(f"ingest/orders/{partition(LONG_AGO)}", "order_id", "counted-then")
    kept = warehouse.run("ingest/orders", LONG_AGO)
    assert kept.code == 0
    assert kept.said == "kept the 1 orders of 2026-01-05T10:00:00Z, counted in time"
    assert warehouse.rows(f"ingest/orders/{partition(LONG_AGO)}") == [{"order_id": "counted-then"}]


def test_a_process_that_ends_under_our_eyes_and_a_name_with_control_letters(
    warehouse: Warehouse, machine: Machine
) -> None:
    machine.start(80, "gone", 0, 1)
    machine.remove("proc/80/status")
    machine.start(81, "two\nlines", 0, 1)
    at = this_minute()

    finished = warehouse.run("ingest/orders", at)

    assert finished.code == 0
    items = [row["item"] for row in warehouse.rows(f"ingest/orders/{partition(at)}")]
    assert items == ["init", "shop (v2)", "two?lines"]


def test_a_process_that_may_not_be_looked_at_is_left_out(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, since nothing is forbidden to root, who may be running the tests."""
    monkeypatch.setenv("HOST_PROC", str(machine.root / "proc"))
    monkeypatch.syspath_prepend(CONFIG / "jobs")
    read_text = Path.read_text

    def guarded(path: Path, encoding: str, errors: str) -> str:
        if path.parent.name == "70":
            raise PermissionError
        return read_text(path, encoding, errors)

    monkeypatch.setattr(Path, "read_text", guarded)

    shown = importlib.import_module("machine").processes()

    assert [process.name for process in shown] == ["init"]


def test_a_machine_that_shows_no_process_is_a_failure(warehouse: Warehouse, machine: Machine) -> None:
    for pid in (1, 2, 70):
        machine.remove(f"proc/{pid}/stat")

    finished = warehouse.run("ingest/orders", this_minute())

    assert (finished.code, warehouse.files()) == (1, [])
    assert (
        finished.complained
        == "ingest_orders.py: found no process at all: is /proc mounted, and does it show this user any?"
    )


def test_customers_are_the_accounts_with_their_groups(warehouse: Warehouse, machine: Machine) -> None:
    machine.write("etc/group", "root:x:0:\n# a comment\naudio:x:29:ann,bob\nvideo:x:44:ann\n+:::\n")

    finished = warehouse.run("dim/customers", LONG_AGO)

    assert finished.code == 0
    assert finished.said == "2 customers as of 2026-01-05T10:00:00Z: 1 people, 1 of the system"
    root, ann = warehouse.rows(f"dim/customers/{partition(LONG_AGO)}")
    assert (root["name"], root["segment"], root["main_group"], root["groups"]) == ("root", "system", "root", "root")
    assert (ann["name"], ann["segment"], ann["main_group"]) == ("ann", "person", "50")
    assert (ann["groups"], ann["shell"]) == ("50 audio video", "/bin/sh")


def test_odd_lines_of_passwd_are_passed_over_and_the_first_name_of_an_id_counts(
    warehouse: Warehouse, machine: Machine
) -> None:
    machine.write(
        "etc/passwd", "root:x:0:0::/:/bin/sh\ntoor:x:0:0::/:/bin/sh\n\n#off:x:9:9\n+::::::\nnobody:x:65534:1::/:\n"
    )

    warehouse.run("dim/customers", LONG_AGO)

    rows = warehouse.rows(f"dim/customers/{partition(LONG_AGO)}")
    assert [(row["name"], row["segment"]) for row in rows] == [("root", "system"), ("nobody", "system")]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [(None, "cannot read {etc}/passwd: No such file or directory"), ("", "found no account in {etc}/passwd")],
)
def test_without_accounts_the_dimension_fails_and_keeps_what_it_had(
    warehouse: Warehouse, machine: Machine, text: str | None, complaint: str
) -> None:
    warehouse.run("dim/customers", LONG_AGO)
    before = warehouse.text(f"dim/customers/{partition(LONG_AGO)}")
    machine.write("etc/passwd", text or "")
    if text is None:
        machine.remove("etc/passwd")

    finished = warehouse.run("dim/customers", LONG_AGO)

    assert finished.code == 1
    assert finished.complained == f"dim_customers.py: {complaint.format(etc=machine.root / 'etc')}"
    assert warehouse.text(f"dim/customers/{partition(LONG_AGO)}") == before


def test_a_minute_of_load_is_one_row_however_often_it_is_measured(warehouse: Warehouse, machine: Machine) -> None:
    at = this_minute()
    first = warehouse.run("host/load", at)
    machine.write("proc/loadavg", "9.00 0.75 0.25 3/93 8556\n")
    second = warehouse.run("host/load", at)

    assert (first.said, second.said) == ("load 1.50, 1.0 of 2.0 GiB available", "load 9.00, 1.0 of 2.0 GiB available")
    [row] = warehouse.rows(f"host/load/{at:%Y-%m-%d}.csv")
    assert (row["logical_date"], row["load1"], row["running"], row["tasks"]) == (format_instant(at), "9.00", "3", "93")
    assert (row["cpu_busy_s"], row["boot_at"]) == ("100.00", "2026-01-01T00:00:00Z")
    assert 0 <= int(row["late_s"]) <= 300


def test_two_minutes_are_two_rows_in_order(warehouse: Warehouse) -> None:
    at = this_minute()
    dates = [at, at - timedelta(minutes=1)]
    for date in dates:
        assert warehouse.run("host/load", date).code == 0

    rows = [row for name in warehouse.files() for row in warehouse.rows(name)]
    assert [row["logical_date"] for row in rows] == [format_instant(date) for date in sorted(dates)]


def test_a_minute_long_past_is_skipped_unless_it_was_measured_in_time(warehouse: Warehouse) -> None:
    assert warehouse.run("host/load", LONG_AGO).code == 99
    assert warehouse.files() == []

    row = "2026-01-05T10:00:00Z,2026-01-05T10:00:01Z,0.10"
    warehouse.put("host/load/2026-01-05.csv", "logical_date,sampled_at,load1", row)
    kept = warehouse.run("host/load", LONG_AGO)
    assert (kept.code, kept.said) == (0, "kept the sample of 2026-01-05T10:00:01Z")
    assert warehouse.rows("host/load/2026-01-05.csv")[0]["load1"] == "0.10"


def test_an_old_kernel_leaves_it_to_us_to_add_up_the_available_memory(warehouse: Warehouse, machine: Machine) -> None:
    machine.write(
        "proc/meminfo", "MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 20 kB\nCached: 3 kB\nHugePages_Total: 0\n"
    )
    at = this_minute()

    warehouse.run("host/load", at)

    assert warehouse.rows(f"host/load/{at:%Y-%m-%d}.csv")[0]["mem_available_kib"] == "123"


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("loadavg", None, "cannot read {proc}/loadavg: No such file or directory"),
        ("loadavg", "0.00\n", "expected five fields in {proc}/loadavg, got '0.00'"),
        ("meminfo", "", "expected MemTotal in {proc}/meminfo, got nothing"),
        ("stat", "intr 1\n", "expected lines cpu and btime in {proc}/stat, got intr"),
    ],
)
def test_figures_that_are_missing_fail_the_minute_by_name(
    warehouse: Warehouse, machine: Machine, name: str, text: str | None, complaint: str
) -> None:
    machine.write(f"proc/{name}", text or "")
    if text is None:
        machine.remove(f"proc/{name}")

    finished = warehouse.run("host/load", this_minute())

    assert (finished.code, warehouse.files()) == (1, [])
    assert finished.complained == f"host_load.py: {complaint.format(proc=machine.root / 'proc')}"


def test_facts_are_kernel_processors_memory_and_each_device_once(warehouse: Warehouse) -> None:
    finished = warehouse.run("host/facts", LONG_AGO)

    assert finished.said == "Linux 6.1.0-test, 2 processors, 2.0 GiB, 1 local file systems"
    rows = [(row["kind"], row["name"], row["value"]) for row in warehouse.rows(FACTS)]
    assert rows[:4] == [
        ("kernel", "release", "6.1.0-test"),
        ("kernel", "booted", "2026-01-01T00:00:00Z"),
        ("cpu", "count", "2"),
        ("memory", "total", "2048000"),
    ]
    assert [row[:2] for row in rows[4:]] == [("mount", "/"), ("disk", "sda")]
    assert rows[-1][2] == "2048"


def test_mounts_with_spaces_network_mounts_and_a_hidden_sys(warehouse: Warehouse, machine: Machine) -> None:
    data = machine.root / "my data"
    data.mkdir()
    machine.write(
        "proc/mounts",
        f"/dev/sdb1 {str(data).replace(' ', chr(92) + '040')} xfs rw 0 0\n"
        "server:/x / nfs4 rw 0 0\noverlay /var/lib/x overlay rw 0 0\n/dev/sdc1 /not/there ext4 rw 0 0\n",
    )
    machine.remove("sys/block/sda/size")

    warehouse.run("host/facts", LONG_AGO)

    rows = warehouse.rows(FACTS)
    assert [row["name"] for row in rows if row["kind"] in ("mount", "disk")] == [str(data)]


def test_rebuilding_the_facts_of_a_date_gives_the_same_file(warehouse: Warehouse) -> None:
    warehouse.run("host/facts", LONG_AGO)
    before = warehouse.text(FACTS)
    warehouse.run("host/facts", LONG_AGO)
    assert (warehouse.text(FACTS), warehouse.files()) == (before, [FACTS])


def test_only_the_newest_facts_are_kept(warehouse: Warehouse) -> None:
    for minute in range(2001):
        warehouse.put(f"host/facts/{partition(LONG_AGO - timedelta(minutes=5 * (minute + 1)))}", "kind")

    warehouse.run("host/facts", LONG_AGO)

    assert len(warehouse.files()) == 2000
    assert FACTS in warehouse.files()
