"""Whom a command may run as: asked for each attempt, of what is allowed now and of this host."""

import pwd

import pytest

from sensord.core.run import State
from sensord.daemon.accounts import Accounts, Refusal, User
from sensord.executors.base import Account
from tests.daemon.world import HOURLY, World

TEN = "2026-11-22T10:00"
IDS = {"etl": 1001, "reports": 1002}
ETL = {"HOME": "/home/etl", "USER": "etl", "LOGNAME": "etl"}


def look_up(name: str) -> pwd.struct_passwd:
    return pwd.struct_passwd((name, "x", IDS[name], 50, "", f"/home/{name}", "/bin/sh"))


def accounts(own: int, *allowed: str) -> Accounts:
    made = Accounts(own, look_up, lambda name, group: [group, IDS[name] + 1000])
    made.allow(allowed)
    return made


def test_root_becomes_the_user_with_all_of_its_groups() -> None:
    assert accounts(0, "etl").find("etl") == User(ETL, Account(1001, 50, (50, 2001)))


def test_a_daemon_of_that_user_has_nothing_to_become() -> None:
    assert accounts(1001, "etl").find("etl") == User(ETL)


@pytest.mark.parametrize(
    ("own", "name", "message"),
    [
        (0, "reports", 'user "reports" is none of allowed_users'),
        (0, "nobody-here", 'expected a user of this host, got "nobody-here"'),
        (1002, "etl", 'expected a daemon that runs as root, to run commands as "etl"; it runs as user 1002'),
    ],
)
def test_others_are_refused_with_the_reason(own: int, name: str, message: str) -> None:
    found = accounts(own, "etl", "nobody-here").find(name)

    assert isinstance(found, Refusal)
    assert found.message == message
    assert found.hint


def test_a_flow_is_refused_for_what_this_host_says_alone() -> None:
    assert accounts(0).refuse("reports") is None
    assert accounts(0).refuse("nobody-here") is not None


@pytest.mark.parametrize("name", ["", "root\0", "x" * 5000, "Ünbekannt"])
def test_any_text_is_looked_up_and_not_found(name: str) -> None:
    real = Accounts(0)
    real.allow([name])

    assert isinstance(real.find(name), Refusal)


def test_each_is_looked_up_once_until_everybody_is_looked_up_anew() -> None:
    asked: list[str] = []

    def count(name: str) -> pwd.struct_passwd:
        asked.append(name)
        return look_up(name)

    counting = Accounts(0, count, lambda _, group: [group])
    counting.allow(["etl"])

    counting.find("etl")
    counting.find("etl")
    counting.renew()
    counting.find("etl")

    assert asked == ["etl", "etl"]


@pytest.fixture
def users(world: World) -> Accounts:
    """Root's daemon, on a flow that runs as etl."""
    world.accounts = accounts(0, "etl")
    (world.folder / "sensord.toml").write_text('allowed_users = ["etl"]\n')
    world.flow("orders", HOURLY, 'user = "etl"\n[run.env]\nUSER = "mine"')
    world.start()
    return world.accounts


def test_its_job_has_the_ids_and_the_variables_of_the_user(world: World, users: Accounts) -> None:
    world.tick()

    job = world.job("orders", TEN)
    assert job.account == Account(1001, 50, (50, 2001))
    assert job.refusal is None
    assert {name: job.env[name] for name in ETL} == ETL | {"USER": "mine"}
    assert job.env["PATH"] == "/bin"


def test_whom_nobody_allows_any_more_runs_nothing_that_was_planned_before(world: World, users: Accounts) -> None:
    users.allow([])

    world.tick()

    job = world.job("orders", TEN)
    assert job.account is None
    assert job.refusal == 'user "etl" is none of allowed_users'


def test_other_flows_run_as_the_daemon(world: World) -> None:
    world.flow("orders", HOURLY)
    world.start()
    world.tick()

    job = world.job("orders", TEN)
    assert (job.account, job.refusal) == (None, None)
    assert world.state("orders", TEN) is State.RUNNING
    assert "USER" not in job.env
