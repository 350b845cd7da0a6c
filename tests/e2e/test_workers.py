"""Workers in processes of their own: what the leader dispatches runs there, and goes on whatever becomes of them."""

import signal
from pathlib import Path

import pytest

from tests.e2e.site import Site

LEADS = r"^sensord .* leads: "
WORKS = r"^sensord .* works: "


@pytest.fixture
def dialect() -> str:
    return "postgresql"


@pytest.fixture
def site(tmp_path: Path, empty_url: str) -> Site:
    """A site whose runs all go to workers of the queue etl, with a short limit."""
    one = Site(tmp_path / "site", empty_url)
    for_workers(one)
    return one


def for_workers(site: Site) -> None:
    settings = 'executor = "procrastinate"\nqueue = "etl"\nheartbeat_limit = "5s"\n'
    (site.config / "sensord.toml").write_text(f'state = "../state"\n{settings}')


def test_a_run_goes_to_a_worker_and_what_waits_for_it_follows(site: Site) -> None:
    site.flow("orders", site.shell("0 2 * * *", "echo $SENSORD_FLOW $SENSORD_ATTEMPT >> made; echo written"))
    site.flow("mart", site.shell("0 2 * * *", "cat made; exit 3", "orders"))

    with site.daemon() as daemon:
        daemon.until(LEADS)
        with site.worker("--queue", "etl", "--slots", "2") as worker:
            worker.until(WORKS)
            daemon.until("orders .*: success")
            daemon.until("mart .*: failed")

            worker.send(signal.SIGTERM)
            assert worker.end() == 0

    [attempt] = site.ask("run", "show", "orders", "latest")["attempts"]
    assert attempt["executor"] == "procrastinate"
    assert site.ask("run", "show", "mart", "latest")["message"] == "exit 3"
    assert (site.work / "made").read_text() == "orders 1\n"
