"""Users: `allowed_users` of sensord.toml, and the flows whose commands are to run as one."""

import pytest

from sensord.config import flow_from_body, load
from sensord.config.body import write_body
from sensord.errors import ConfigError
from tests.config.folder import PLAIN, Folder, sensor

ALLOWED = 'allowed_users = ["etl", "reports"]\n'


def as_user(name: str) -> str:
    return f'{PLAIN}user = "{name}"\n'


def test_a_flow_names_one_of_those_that_are_allowed(folder: Folder) -> None:
    folder.write("sensord.toml", ALLOWED)
    folder.flow("load", as_user("etl"))

    config = folder.load()

    assert config.problems == []
    assert config.settings.allowed_users == ("etl", "reports")
    assert config.flows["load"].flow.command.user == "etl"


def test_without_the_key_it_is_the_daemons(folder: Folder) -> None:
    folder.flow("load")

    assert folder.loaded("load").flow.command.user is None


def test_a_flow_comes_back_from_its_body_with_its_user(folder: Folder) -> None:
    folder.write("sensord.toml", ALLOWED)
    folder.flow("load", as_user("etl"))
    flow = folder.loaded("load").flow

    assert flow_from_body("load", write_body(flow)) == flow


@pytest.mark.parametrize(
    ("settings", "name", "hint"),
    [
        (ALLOWED, "elt", ' (did you mean "etl"?)'),
        (ALLOWED, "root", " (add it to allowed_users in sensord.toml)"),
        (ALLOWED, "", " (add it to allowed_users in sensord.toml)"),
        ("", "etl", " (add it to allowed_users in sensord.toml)"),
    ],
)
def test_any_other_is_an_error_of_the_file_that_names_it(folder: Folder, settings: str, name: str, hint: str) -> None:
    folder.write("sensord.toml", settings)
    folder.flow("good")
    folder.flow("load", as_user(name))

    config = folder.load()

    assert list(config.flows) == ["good"]
    assert [str(problem) for problem in config.problems] == [
        f'flows/load.toml:5:8: run.user: expected one of allowed_users, got "{name}"{hint}'
    ]


def test_one_who_cannot_be_had_here_is_an_error_in_the_hosts_words(folder: Folder) -> None:
    folder.write("sensord.toml", ALLOWED)
    folder.flow("load", as_user("etl"))
    folder.flow("print", as_user("reports"))
    folder.flow("mart", PLAIN, sensor(upstream="load"))

    config = load(folder.path, refuse_user=lambda name: (f"no {name} here", "move") if name == "etl" else None)

    assert list(config.flows) == ["print"]
    assert str(config.problems[0]) == "flows/load.toml:5:8: run.user: no etl here (move)"


def test_whom_a_worker_can_become_is_not_for_this_host_to_say(folder: Folder) -> None:
    folder.write("sensord.toml", ALLOWED + 'database = "postgresql://db/x"\nexecutor = "procrastinate"\n')
    folder.flow("there", as_user("etl"))
    folder.flow("here", as_user("etl") + 'executor = "local"\n')

    config = load(folder.path, refuse_user=lambda name: (f"no {name} here", None))

    assert list(config.flows) == ["there"]
    assert [problem.file for problem in config.problems] == ["flows/here.toml"]


def test_a_user_who_is_allowed_later_mends_the_flow(folder: Folder) -> None:
    folder.flow("load", as_user("etl"))
    before = folder.load()
    folder.write("sensord.toml", ALLOWED)

    after = folder.load(before)

    assert (list(before.flows), list(after.flows), after.problems) == ([], ["load"], [])


def test_a_user_who_is_allowed_no_more_breaks_the_flow(folder: Folder) -> None:
    folder.write("sensord.toml", ALLOWED)
    folder.flow("load", as_user("etl"))
    before = folder.load()
    folder.write("sensord.toml", 'allowed_users = ["reports"]\n')

    after = folder.load(before)

    assert (list(before.flows), list(after.flows)) == (["load"], [])


def test_a_user_in_a_template_is_said_at_its_place(folder: Folder) -> None:
    folder.write("templates/base.toml", '[run]\nuser = "etl"\n')
    folder.flow("load", 'extends = "templates/base"\n', PLAIN)

    places = [(problem.file, problem.line, problem.key) for problem in folder.load().problems]

    assert places == [("flows/load.toml", 1, "extends"), ("templates/base.toml", 2, "run.user")]


@pytest.mark.parametrize("text", ['allowed_users = "etl"\n', "allowed_users = [1]\n"])
def test_names_are_a_list_of_texts(folder: Folder, text: str) -> None:
    folder.write("sensord.toml", text)

    with pytest.raises(ConfigError) as caught:
        folder.load()

    assert [problem.key for problem in caught.value.problems] == [
        "allowed_users" if "=" in text and '"' in text else "allowed_users[0]"
    ]
