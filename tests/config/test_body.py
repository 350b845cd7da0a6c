"""The stored definition: a flow comes back from it as it was, without its file."""

import json
from typing import Any

import pytest
import toml_rs
from hypothesis import given
from hypothesis import strategies as st

from sensord.config import flow_from_body
from sensord.config.body import write_body
from sensord.core.flow import Flow
from tests.config.flow_strategies import FLOWS
from tests.config.folder import PLAIN, RUN, SCHEDULE, Folder, sensor


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """One folder for all examples of a property."""
    folder = Folder(tmp_path_factory.mktemp("shared") / "config")
    folder.write("sensord.toml", 'mapping_modules = ["tests.config.calendars"]\n')
    return folder


def read(folder: Folder, table: dict[str, Any]) -> Flow:
    return folder.read(toml_rs.dumps(table, toml_version="1.0.0"))


@given(FLOWS)
def test_a_flow_comes_back_from_its_body(shared: Folder, table: dict[str, Any]) -> None:
    flow = read(shared, table)
    body = write_body(flow)
    again = flow_from_body("mine", body)
    assert again == flow
    assert write_body(again) == body


@given(FLOWS, FLOWS)
def test_bodies_are_equal_where_flows_are(shared: Folder, one: dict[str, Any], other: dict[str, Any]) -> None:
    first, second = read(shared, one), read(shared, other)
    assert (write_body(first) == write_body(second)) == (first == second)


@given(FLOWS, st.data())
def test_every_key_makes_a_difference_or_says_its_default(shared: Folder, table: dict[str, Any], data: Any) -> None:
    """What a file says is in the body: without one of its optional keys the flow is another, or equal."""
    flow = read(shared, table)
    key = data.draw(st.sampled_from(sorted(table.keys() - {"schedule", "run"}) or ["owner"]))
    less = {name: value for name, value in table.items() if name != key}
    assert (read(shared, less) == flow) == (not table.get(key))


def test_what_has_its_default_is_left_out(folder: Folder) -> None:
    folder.flow("a")
    assert folder.loaded("a").body == '{"run":{"argv":["true"]},"schedule":{"cron":"0 * * * *"}}'


def test_layout_comments_and_defaults_do_not_change_the_digest(folder: Folder) -> None:
    folder.flow("up")
    folder.flow("a", PLAIN, sensor())
    spelled = (
        '# here\n[run]\nshell = false\ncommand = [ "true", ]\ncwd = "."\npriority = 0\n[schedule]\ntimezone = "UTC"\n'
    )
    folder.flow("b", spelled, 'cron = " 0  * * * *"\n', sensor('match = "latest"', "count = 1", 'require = "all"'))
    assert folder.loaded("a").digest == folder.loaded("b").digest


def test_a_deadline_is_in_the_digest_however_it_is_spelled(folder: Folder) -> None:
    folder.flow("up")
    folder.flow("a", PLAIN, sensor('timeout = "90m"'))
    folder.flow("b", PLAIN, sensor('timeout = "1h30m"', 'on_timeout = "fail"'))
    folder.flow("c", PLAIN, sensor('timeout = "90m"', 'on_timeout = "skip"'))
    digests = [folder.loaded(name).digest for name in "abc"]
    assert digests[0] == digests[1]
    assert digests[0] != digests[2]


def test_the_schedule_has_a_digest_of_its_own(folder: Folder) -> None:
    folder.flow("a")
    folder.flow("b", SCHEDULE, 'first = "next"\n', '[run]\ncommand = ["other"]\n')
    folder.flow("c", SCHEDULE, "start = 2025-01-01\n", RUN)
    folder.flow("d", SCHEDULE, 'timezone = "Europe/Amsterdam"\n', RUN)
    folder.flow("e", '[schedule]\ncron = "1 * * * *"\n', RUN)
    digests = [folder.loaded(name).schedule_digest for name in "abcde"]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 4


def test_a_follower_is_complete_without_the_flow_it_follows(folder: Folder) -> None:
    folder.flow("up", '[schedule]\nevery = "1mo"\nstart = 2025-01-31\ntimezone = "Asia/Tokyo"\n', RUN)
    folder.flow("a", '[schedule]\nfollow = "up"\n', RUN)
    again = flow_from_body("a", folder.loaded("a").body)
    assert again == folder.loaded("a").flow
    assert again.schedule.rule == folder.loaded("up").flow.schedule.rule


def test_a_function_that_has_gone_fails_when_called_not_before(folder: Folder) -> None:
    folder.write("sensord.toml", 'mapping_modules = ["tests.config.calendars"]\n')
    folder.flow("up")
    folder.flow("a", PLAIN, sensor('match = "python:tests.config.calendars:same"'))
    body = folder.loaded("a").body
    kept, gone = flow_from_body("a", body), flow_from_body("a", body.replace(":same", ":gone"))
    functions = [flow.sensors[0].mapping.function for flow in (kept, gone)]
    assert functions[0] is not None
    assert functions[1] is not None
    noon: Any = object()
    assert functions[0].call(noon, noon) == [noon]
    with pytest.raises(ValueError, match="expected a function gone"):
        functions[1].call(noon, noon)


def test_a_body_is_plain_ascii(folder: Folder) -> None:
    folder.flow("a", 'description = "é\\u2028"\n', PLAIN)
    body = folder.loaded("a").body
    assert body.isascii()
    assert json.loads(body)["description"] == "é\u2028"
