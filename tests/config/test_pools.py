"""Pools: `[pools]` of sensord.toml, and the flows that name one."""

import pytest

from sensord.config import flow_from_body
from sensord.config.body import write_body
from sensord.errors import ConfigError
from tests.config.folder import PLAIN, Folder, sensor

POOLS = "[pools]\nwarehouse = 4\napi = 1\n"


def in_pool(name: str) -> str:
    return f'{PLAIN}pool = "{name}"\n'


def test_pools_have_slots(folder: Folder) -> None:
    folder.write("sensord.toml", POOLS)
    folder.flow("load", in_pool("warehouse"))

    config = folder.load()

    assert config.problems == []
    assert config.settings.pools == {"warehouse": 4, "api": 1}
    assert config.flows["load"].flow.pool == "warehouse"


def test_a_flow_comes_back_from_its_body_with_its_pool(folder: Folder) -> None:
    folder.write("sensord.toml", POOLS)
    folder.flow("load", in_pool("api"))
    flow = folder.loaded("load").flow

    assert flow_from_body("load", write_body(flow)) == flow


def test_an_unknown_pool_is_an_error_of_the_file_that_names_it(folder: Folder) -> None:
    folder.write("sensord.toml", POOLS)
    folder.flow("good")
    folder.flow("load", in_pool("warehuose"))

    config = folder.load()

    assert list(config.flows) == ["good"]
    assert [str(problem) for problem in config.problems] == [
        'flows/load.toml:5:8: run.pool: expected the name of a pool, got "warehuose" (did you mean "warehouse"?)'
    ]


def test_without_any_the_hint_says_where_pools_stand(folder: Folder) -> None:
    folder.flow("load", in_pool("api"))

    (problem,) = folder.load().problems

    assert problem.hint == "give it slots below [pools] in sensord.toml: api = 4"


def test_what_hangs_on_such_a_flow_cannot_be_used_either(folder: Folder) -> None:
    folder.flow("load", in_pool("api"))
    folder.flow("mart", PLAIN, sensor(upstream="load"))

    assert folder.load().flows == {}


def test_a_pool_that_comes_later_mends_the_flow(folder: Folder) -> None:
    folder.flow("load", in_pool("api"))
    before = folder.load()
    folder.write("sensord.toml", POOLS)

    after = folder.load(before)

    assert (list(before.flows), list(after.flows), after.problems) == ([], ["load"], [])


def test_a_pool_that_goes_breaks_the_flow(folder: Folder) -> None:
    folder.write("sensord.toml", POOLS)
    folder.flow("load", in_pool("api"))
    before = folder.load()
    folder.write("sensord.toml", "[pools]\nwarehouse = 4\n")

    after = folder.load(before)

    assert (list(before.flows), list(after.flows)) == (["load"], [])
    assert [problem.key for problem in after.problems] == ["run.pool"]


def test_a_pool_in_a_template_is_said_at_its_place(folder: Folder) -> None:
    folder.write("templates/base.toml", '[run]\npool = "api"\n')
    folder.flow("load", 'extends = "templates/base"\n', PLAIN)

    places = [(problem.file, problem.line, problem.key) for problem in folder.load().problems]

    assert places == [("flows/load.toml", 1, "extends"), ("templates/base.toml", 2, "run.pool")]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[pools]\napi = 0\n", "expected a whole number from 1 to 10000, got 0", None),
        ('[pools]\napi = "4"\n', 'expected a whole number from 1 to 10000, got "4"', None),
        ("pools = 4\n", "expected a table of whole numbers from 1 to 10000, got 4", None),
    ],
)
def test_slots_are_whole_numbers(folder: Folder, text: str, message: str, hint: str | None) -> None:
    folder.write("sensord.toml", text)

    with pytest.raises(ConfigError) as caught:
        folder.load()

    assert [(problem.message, problem.hint) for problem in caught.value.problems] == [(message, hint)]
