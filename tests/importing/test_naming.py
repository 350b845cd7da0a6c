"""Names of flows from commands: what a person would call the job, and always one that a flow may have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensord.config.names import explain_bad_name
from sensord.importing.naming import flow_part, name_command, unique


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("/usr/local/bin/backup.sh --keep 7", "backup"),
        ("backup", "backup"),
        ("cd /srv/app && ./poll.py >/dev/null 2>&1", "poll"),
        ("cd /srv/app && bin/poll >/dev/null 2>&1", "poll"),
        ("python3 -u -m warehouse.load --day yesterday", "warehouse.load"),
        ("/usr/bin/python3 /opt/load orders.py", "orders"),
        ("FOO=1 BAR='a b' nice -n 19 ionice -c 3 rsync -a / /mnt", "rsync"),
        ("flock -n /tmp/lock timeout 5m /opt/sync all", "sync"),
        ("test -x /usr/sbin/anacron || run-parts /etc/cron.daily", "run-parts"),
        ("[ -e /x ] && touch /y", "touch"),
        ("sudo -u postgres vacuumdb -a", "postgres"),
        ("echo 'unclosed", "echo"),
        ("/opt/tägliche läufe.sh", "l_ufe"),
        (":", "flow"),
        ("", "flow"),
    ],
)
def test_a_command_is_called_by_what_it_runs(command: str, name: str) -> None:
    assert name_command(command) == name


@given(st.text() | st.text(alphabet="ab/.-_ '\"&|;=0é"))
def test_whatever_the_command_the_name_is_one(command: str) -> None:
    name = unique(name_command(command), [])
    assert explain_bad_name(name) is None


@given(st.text(min_size=1, max_size=250))
def test_a_name_from_elsewhere_is_made_one(name: str) -> None:
    assert explain_bad_name(flow_part(name)) is None


@pytest.mark.parametrize("name", ["sales.daily", "sales-daily", "2024_sales", "Sales"])
def test_a_name_that_is_one_stays(name: str) -> None:
    assert flow_part(name) == name


def test_equal_names_are_numbered_without_case() -> None:
    assert unique("load", ["other"]) == "load"
    assert unique("load", ["LOAD", "load_2"]) == "load_3"


def test_no_flow_is_called_as_the_file_of_defaults() -> None:
    assert unique("defaults", []) == "defaults_2"
