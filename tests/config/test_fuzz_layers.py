"""Whatever stands in templates and defaults, loading never raises, harms no other flow, and tells each problem once."""

from contextlib import nullcontext, suppress
from typing import Any

import pytest
import toml_rs
from hypothesis import given
from hypothesis import strategies as st

from sensord.config import flow_from_body
from sensord.config.merge import Part, merge_files, shift
from sensord.config.resolved import resolved
from sensord.errors import ConfigError
from tests.config.flow_strategies import FLOWS
from tests.config.folder import Folder
from tests.config.test_fuzz import TABLES_OF_ANYTHING

PARAMS = st.dictionaries(
    st.sampled_from(["x", "y"]), st.text(max_size=3) | st.integers(0, 9) | st.booleans() | st.floats(), max_size=2
)
PIECES = [
    "{{ params.x }}",
    "{{ flow }}",
    "{{ params.y | upper }}",
    "{{ x }}",
    "{%",
    "'",
    " ",
    "a",
    "{{ logical_date | date('%F') }}",
]
COMMANDS = st.lists(st.sampled_from(PIECES), max_size=5).map("".join)
RUNS = st.one_of(
    st.fixed_dictionaries(
        {"command": st.lists(COMMANDS, min_size=1, max_size=2)}, optional={"env": st.just({"A": "b"})}
    ),
    st.fixed_dictionaries({"command": COMMANDS, "shell": st.just(True)}),
)
BELOW = st.one_of(
    TABLES_OF_ANYTHING,
    st.builds(lambda flow, params: flow | {"params": params}, FLOWS, PARAMS),
    st.fixed_dictionaries({}, optional={"run": RUNS, "params": PARAMS}),
)
EXTENDS = st.sampled_from(["templates/a", "templates/b", "templates/gone", "up", ""])


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    folder = Folder(tmp_path_factory.mktemp("shared") / "config")
    for name in ("up", "other/up"):
        folder.flow(name)
    folder.write("sensord.toml", 'mapping_modules = ["tests.config.calendars"]\n')
    return folder


@given(BELOW, BELOW, BELOW, FLOWS | TABLES_OF_ANYTHING | st.just({}), st.lists(EXTENDS, min_size=2, max_size=2))
def test_any_files_below_any_flow(shared: Folder, a: Any, b: Any, defaults: Any, own: Any, extends: list[str]) -> None:
    _write(shared, "templates/a.toml", a | {"extends": extends[0]})
    _write(shared, "templates/b.toml", b)
    _write(shared, "flows/mine/defaults.toml", defaults)
    _write(shared, "flows/mine/one.toml", own | {"extends": "templates/a"})
    _write(shared, "flows/mine/two.toml", own | {"extends": extends[1]})
    config = shared.load()
    assert {"up", "other/up"} <= config.flows.keys()
    assert len(set(config.problems)) == len(config.problems)
    for name in ("mine/one", "mine/two"):
        own_problems = [one for one in config.problems if one.flow == name]
        assert {one.file for one in own_problems} <= {f"flows/{name}.toml"}
        assert (name in config.flows) == (not own_problems)
        _resolve(shared, name, broken=bool(own_problems))
    for name, loaded in config.flows.items():
        assert flow_from_body(name, loaded.body) == loaded.flow
    assert shared.load(config).problems == config.problems


TREES: st.SearchStrategy[Any] = st.recursive(
    st.integers(), lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=6
).filter(lambda tree: isinstance(tree, dict))


@given(st.lists(TREES, min_size=1, max_size=4))
def test_merged_values_are_those_of_the_uppermost_file_that_has_them(trees: list[dict[str, Any]]) -> None:
    """By another way: every leaf of the result is the topmost file's, unless a table above or below hides it."""
    document: Any = None
    merged = merge_files([Part(str(number), document, tree) for number, tree in enumerate(trees)])
    for path, value in _leaves((), merged.data):
        file, _ = merged.home(path)
        above = [tree for tree in trees[int(file or 0) + 1 :] if _get(tree, path) is not None]
        assert _get(trees[int(file or 0)], path) == value or value == {}
        assert above == []


def test_the_path_of_a_sensor_is_shifted_and_no_other() -> None:
    assert shift(("sensors", 2, "upstream"), -1) == ("sensors", 1, "upstream")
    assert shift(("sensors",), 3) == ("sensors",)
    assert shift(("run", "command", 1), 3) == ("run", "command", 1)


def _leaves(path: tuple[str, ...], value: Any) -> list[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict) and value:
        return [leaf for key, inner in value.items() for leaf in _leaves((*path, key), inner)]
    return [(path, value)] if path else []


def _get(tree: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree


def _resolve(folder: Folder, name: str, *, broken: bool) -> None:
    """What makes a flow is shown; what does not may be of a wrong shape, and is told then."""
    with suppress(ConfigError) if broken else nullcontext():
        assert resolved(folder.path, name)


def _write(folder: Folder, file: str, table: dict[str, Any]) -> None:
    folder.write(file, toml_rs.dumps(table, toml_version="1.0.0"))
