"""Where runs start: `executor`, `queue` and `heartbeat_limit` of sensord.toml, and the flows that say otherwise."""

from datetime import timedelta

import pytest

from sensord.config import flow_from_body, load
from sensord.config.body import write_body
from sensord.errors import ConfigError
from tests.config.folder import PLAIN, Folder

SERVER = 'database = "postgresql://me@host/db"\n'
ON_WORKERS = f'{PLAIN}executor = "procrastinate"\n'


def test_by_default_runs_start_on_the_daemons_host(folder: Folder) -> None:
    folder.flow("load")

    config = folder.load()

    assert (config.settings.executor, config.settings.queue) == ("local", "default")
    assert config.settings.heartbeat_limit == timedelta(minutes=1)
    assert (config.flows["load"].flow.executor, config.flows["load"].flow.queue) == (None, None)


def test_settings_and_flows_say_otherwise(folder: Folder) -> None:
    folder.write("sensord.toml", f'{SERVER}executor = "procrastinate"\nqueue = "etl"\nheartbeat_limit = "5s"\n')
    folder.flow("here", f'{PLAIN}executor = "local"\n')
    folder.flow("there", f'{PLAIN}queue = "gpu.big"\n')

    config = folder.load()

    assert config.problems == []
    assert (config.settings.executor, config.settings.queue) == ("procrastinate", "etl")
    assert config.settings.heartbeat_limit == timedelta(seconds=5)
    assert config.flows["here"].flow.executor == "local"
    assert config.flows["there"].flow.queue == "gpu.big"


def test_a_flow_comes_back_from_its_body_with_both(folder: Folder) -> None:
    folder.write("sensord.toml", SERVER)
    folder.flow("load", f'{ON_WORKERS}queue = "etl"\n')
    flow = folder.loaded("load").flow

    assert flow_from_body("load", write_body(flow)) == flow


def test_on_sqlite_there_are_no_workers(folder: Folder) -> None:
    folder.write("sensord.toml", 'executor = "procrastinate"\n')
    folder.flow("load")

    with pytest.raises(ConfigError) as caught:
        folder.load()

    [problem] = caught.value.problems
    assert (problem.key, problem.line, problem.column) == ("executor", 1, 12)
    assert problem.message == 'expected "local" on a SQLite database, got "procrastinate"'
    assert "PostgreSQL that all machines reach" in str(problem.hint)


def test_nor_for_one_flow(folder: Folder) -> None:
    folder.flow("load", ON_WORKERS)
    folder.flow("other")

    config = folder.load()

    [problem] = config.problems
    assert (problem.key, problem.line) == ("run.executor", 5)
    assert list(config.flows) == ["other"]


@pytest.mark.parametrize(
    ("written", "chosen", "good"),
    [
        ("", "postgresql://me@host/db", True),
        (SERVER, "sqlite:///tmp/x.db", False),
    ],
)
def test_what_counts_is_the_database_in_use(folder: Folder, written: str, chosen: str, good: bool) -> None:
    folder.write("sensord.toml", written)
    folder.flow("load", ON_WORKERS)

    config = load(folder.path, url=chosen)

    assert (config.problems == []) is good
    assert config.settings.database_url == chosen


def test_a_queue_is_for_workers_alone(folder: Folder) -> None:
    folder.write("sensord.toml", SERVER)
    folder.flow("load", f'{PLAIN}queue = "etl"\n')

    [problem] = folder.load().problems

    assert problem.key == "run.queue"
    assert problem.message == 'expected a queue only with executor = "procrastinate", got one with "local"'


@pytest.mark.parametrize("name", ["", "a b", "-a", "é", "q" * 41, "a/b"])
def test_a_queues_name_must_fit_a_channels(folder: Folder, name: str) -> None:
    folder.write("sensord.toml", SERVER)
    folder.flow("load", f'{ON_WORKERS}queue = "{name}"\n')

    [problem] = folder.load().problems

    assert problem.key == "run.queue"
    assert problem.message.startswith("expected the name of a queue: at most 40 letters")


def test_an_unknown_executor_is_refused_with_a_proposal(folder: Folder) -> None:
    folder.flow("load", f'{PLAIN}executor = "procastinate"\n')

    [problem] = folder.load().problems

    assert problem.message == 'expected "local" or "procrastinate", got "procastinate"'
    assert problem.hint == 'did you mean "procrastinate"?'


@pytest.mark.parametrize("wrong", ['"4s"', '"0s"', '"1mo"', "60"])
def test_a_worker_is_given_five_seconds_at_least(folder: Folder, wrong: str) -> None:
    folder.write("sensord.toml", f"heartbeat_limit = {wrong}\n")
    folder.flow("good")

    with pytest.raises(ConfigError) as caught:
        folder.load()

    [problem] = caught.value.problems
    assert (problem.key, problem.line, problem.column) == ("heartbeat_limit", 1, 19)
