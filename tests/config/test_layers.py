"""Templates and defaults: what a flow takes from the files it builds on, and where their problems are told."""

import pytest

from sensord.config import Config
from sensord.core.command import argv
from sensord.core.flow import Flow
from sensord.core.params import write_param
from sensord.core.template import Values
from tests.config.folder import PLAIN, RUN, SCHEDULE, Folder, sensor

EXTENDS = 'extends = "templates/base"\n'
NIGHTLY = '[schedule]\ncron = "0 2 * * *"\n'


def said(config: Config) -> list[str]:
    """Each problem with its flow: `place: key: message (hint) [flow]`."""
    return [f"{one} [{one.flow}]" if one.flow else str(one) for one in config.problems]


def rule(flow: Flow) -> str:
    return repr(flow.schedule.rule)


def test_a_flow_takes_what_it_does_not_say(folder: Folder) -> None:
    folder.write("templates/base.toml", 'owner = "team"\ntags = ["a", "b"]\n' + NIGHTLY + "[run]\nretries = 3\n")
    folder.flow("mine", EXTENDS, 'tags = ["c"]\n', RUN)
    flow = folder.loaded("mine").flow
    assert (flow.owner, flow.tags, flow.retry.limit) == ("team", ("c",), 3)
    assert flow.command.argv == ("true",)


def test_the_flow_goes_before_its_template_and_that_before_the_defaults(folder: Folder) -> None:
    folder.flow(
        "defaults", 'owner = "d"\ndescription = "d"\n', SCHEDULE, '[run]\npriority = 1\nenv = {A="d",B="d",C="d"}\n'
    )
    folder.write("templates/base.toml", 'owner = "t"\n[run]\npriority = 2\nenv = {B="t",C="t"}\n')
    folder.flow("mine", EXTENDS, '[run]\ncommand = ["true"]\npriority = 3\nenv = {C="f"}\n')
    flow = folder.loaded("mine").flow
    assert (flow.description, flow.owner, flow.priority) == ("d", "t", 3)
    assert flow.command.env == (("A", "d"), ("B", "t"), ("C", "f"))


def test_sensors_add_up_the_lowest_first(folder: Folder) -> None:
    for name in ("a", "b", "c", "d"):
        folder.flow(name)
    folder.flow("x/defaults", sensor(upstream="a"))
    folder.write("templates/root.toml", sensor(upstream="b"))
    folder.write("templates/base.toml", 'extends = "templates/root"\n' + sensor(upstream="c"))
    folder.flow("x/mine", EXTENDS, PLAIN, sensor(upstream="d"))
    sensors = folder.loaded("x/mine").flow.sensors
    assert [(one.index, one.upstream) for one in sensors] == [(0, "a"), (1, "b"), (2, "c"), (3, "d")]


def test_only_the_nearest_defaults_hold(folder: Folder) -> None:
    folder.flow("defaults", 'owner = "root"\ntags = ["root"]\n')
    folder.flow("x/y/defaults", 'owner = "y"\n')
    for name in ("mine", "x/mine", "x/y/mine", "x/y/z/mine", "xx/mine"):
        folder.flow(name)
    flows = folder.load().flows
    assert {name: (one.flow.owner, one.flow.tags) for name, one in flows.items()} == {
        "mine": ("root", ("root",)),
        "x/mine": ("root", ("root",)),
        "xx/mine": ("root", ("root",)),
        "x/y/mine": ("y", ()),
        "x/y/z/mine": ("y", ()),
    }


def test_a_flow_may_be_all_template(folder: Folder) -> None:
    folder.write("templates/base.toml", PLAIN)
    folder.flow("mine", EXTENDS)
    folder.flow("plain")
    flows = folder.load().flows
    assert flows["mine"].digest == flows["plain"].digest


@pytest.mark.parametrize(
    ("below", "own"),
    [
        (SCHEDULE, '[schedule]\nevery = "1d"\nstart = 2025-01-01\n'),
        ('[schedule]\ncron = "0 0 * * * 0"\nseconds = true\ntimezone = "Asia/Tokyo"\n', '[schedule]\nfollow = "up"\n'),
        ('[schedule]\nevery = "1d"\nstart = 2025-01-01\n', SCHEDULE + "start = 2026-01-01\n"),
        ('[schedule]\nfollow = "up"\n', SCHEDULE),
        (SCHEDULE + 'first = "next"\n', "[schedule]\nstart = 2025-01-01\n"),
    ],
)
def test_what_cannot_stand_beside_the_flows_own_rule_gives_way(folder: Folder, below: str, own: str) -> None:
    folder.flow("up")
    folder.write("templates/base.toml", below)
    folder.flow("mine", EXTENDS, own, RUN)
    alone = own if "cron" in own or "every" in own or "follow" in own else SCHEDULE + own.partition("\n")[2]
    folder.flow("alone", alone, RUN)
    flows = folder.load().flows
    assert flows["mine"].schedule_digest == flows["alone"].schedule_digest
    assert flows["mine"].flow.first == flows["alone"].flow.first


def test_a_list_as_command_takes_the_place_of_a_shells_text(folder: Folder) -> None:
    folder.flow("defaults", SCHEDULE, '[run]\nshell = true\ncommand = "a | b"\n')
    folder.flow("mine", RUN)
    folder.flow("piped", '[run]\ncommand = "c | d"\n')
    flows = folder.load().flows
    assert flows["mine"].flow.command.argv == ("true",)
    assert flows["piped"].flow.command.shell_text == "c | d"


def test_params_of_all_files_fill_in_a_command_from_any(folder: Folder) -> None:
    folder.flow("defaults", "params = {a = 1, b = 1, c = 1}\n")
    folder.write("templates/base.toml", "params = {b = 2, c = 2}\n" + SCHEDULE)
    folder.write(
        "templates/base.toml",
        "params = {b = 2, c = 2}\n"
        + SCHEDULE
        + '[run]\ncommand = ["x", "{{ params.a }}{{ params.b }}{{ params.c }}"]\n',
    )
    folder.flow("mine", EXTENDS, "params = {c = 3}\n")
    command = folder.loaded("mine").flow.command
    given = Values(named={f"params.{name}": write_param(value) for name, value in command.params})
    assert argv(command, given) == ("x", "123")


def test_templates_may_lie_in_folders(folder: Folder) -> None:
    folder.write("templates/dbt/mart.toml", PLAIN)
    folder.flow("mine", 'extends = "templates/dbt/mart"\n')
    assert folder.loaded("mine").flow.command.argv == ("true",)


def test_what_others_speak_of_may_stand_in_another_file(folder: Folder) -> None:
    folder.flow("up")
    folder.write("templates/base.toml", SCHEDULE + sensor())
    folder.flow("mine", EXTENDS, RUN, sensor())
    loaded = folder.loaded("mine")
    assert loaded.places == {"sensors[0].upstream": (4, 12), "sensors[1].upstream": (5, 12), "schedule.cron": (2, 8)}
    assert loaded.files == {"sensors[0].upstream": "templates/base.toml", "schedule.cron": "templates/base.toml"}


# Problems


def test_a_problem_of_a_template_is_told_once_and_each_flow_says_so(folder: Folder) -> None:
    folder.write("templates/base.toml", '# note\n[schedule]\ncron = "61 * * * *"\n' + RUN)
    for name in ("a", "b"):
        folder.flow(name, EXTENDS)
    folder.flow("good")
    config = folder.load()
    hint = "expected all that it builds on to be right, got an error at templates/base.toml:3"
    assert list(config.flows) == ["good"]
    assert said(config)[:2] == [f"flows/{name}.toml:1:11: extends: {hint} [{name}]" for name in ("a", "b")]
    (shared,) = config.problems[2:]
    assert (shared.place, shared.key, shared.flow) == ("templates/base.toml:3:9", "schedule.cron", None)


@pytest.mark.parametrize(
    ("content", "place", "key"),
    [
        ("owner = 3\n", "1:9", "owner"),
        ("\nownr = 'x'\n", "2:1", "ownr"),
        ("owner = \n", "1:9", None),
        ('extends = "templates/base"\n', "1:1", "extends"),
    ],
)
def test_broken_defaults_break_what_is_below_them(folder: Folder, content: str, place: str, key: str | None) -> None:
    folder.flow("x/defaults", content)
    folder.flow("x/a")
    folder.flow("b")
    config = folder.load()
    assert list(config.flows) == ["b"]
    own, shared = config.problems
    assert (own.flow, own.file, own.line, own.column) == ("x/a", "flows/x/a.toml", 1, 1)
    assert (shared.flow, shared.place, shared.key) == (None, f"flows/x/defaults.toml:{place}", key)


def test_one_that_no_flow_builds_on_is_not_read(folder: Folder) -> None:
    folder.write("templates/base.toml", "no TOML")
    folder.flow("x/defaults", "no TOML")
    folder.flow("a")
    assert folder.load().problems == []


def test_a_flows_own_problems_are_told_beside_those_of_its_template(folder: Folder) -> None:
    folder.write("templates/base.toml", "owner = 3\n")
    folder.flow("a", EXTENDS, "descripton = 'x'\n", PLAIN)
    assert [one.key for one in folder.load().problems] == ["extends", "descripton", "owner"]


def test_an_unknown_upstream_of_a_template_is_told_once(folder: Folder) -> None:
    folder.write("templates/base.toml", sensor(upstream="gone"))
    for name in ("a", "b"):
        folder.flow(name, EXTENDS, PLAIN, sensor(upstream="a" if name == "b" else "c"))
    folder.flow("c")
    config = folder.load()
    shared = [one for one in config.problems if one.flow is None]
    assert [(one.place, one.key, one.message) for one in shared] == [
        ("templates/base.toml:2:12", "sensors[0].upstream", 'expected the name of a flow, got "gone"')
    ]
    assert {one.flow for one in config.problems} == {None, "a", "b"}


def test_a_key_that_all_files_lack_is_missing_from_the_flows_own(folder: Folder) -> None:
    folder.flow("defaults", "[run]\nretries = 1\n")
    folder.flow("mine", SCHEDULE)
    (problem,) = folder.load().problems
    assert (problem.place, problem.flow, problem.key) == ("flows/mine.toml:1:1", "mine", "run.command")


def test_a_param_that_a_template_needs_is_missing_from_the_flow(folder: Folder) -> None:
    folder.write("templates/base.toml", SCHEDULE + '[run]\ncommand = ["x", "{{ params.model }}"]\n')
    folder.flow("a", "# here\n", EXTENDS)
    folder.flow("b", EXTENDS, 'params.modle = "m"\n')
    folder.flow("c", EXTENDS, 'params.model = "m"\n')
    config = folder.load()
    message = "params.model: expected a value for params.model, which templates/base.toml:4 needs, got none"
    assert list(config.flows) == ["c"]
    assert said(config) == [
        f"flows/a.toml:2:11: {message} [a]",
        f'flows/b.toml:1:11: {message} (did you mean "modle"?) [b]',
    ]


def test_a_problem_between_two_sensors_files_counts_as_its_file_does(folder: Folder) -> None:
    folder.flow("up")
    folder.flow("defaults", sensor())
    folder.flow("mine", PLAIN, sensor('match = "sam"'))
    (problem,) = folder.load().problems
    assert (problem.place, problem.key) == ("flows/mine.toml:7:9", "sensors[0].match")


@pytest.mark.parametrize(
    ("value", "message", "hint"),
    [
        ("templates/bas", 'expected the name of a template, got "templates/bas"', 'did you mean "templates/base"?'),
        ("base", 'expected the name of a template, got "base"', 'did you mean "templates/base"?'),
        ("templates/base.toml", 'got "templates/base.toml"', 'did you mean "templates/base"?'),
        ("templates/../flows/up", 'got "templates/../flows/up"', "a template is called by its path"),
        ("/etc/passwd", 'got "/etc/passwd"', "a template is called by its path"),
        ("", 'got ""', "a template is called by its path"),
        ("templates/dir", 'got "templates/dir"', None),
    ],
)
def test_a_template_that_is_not_there(folder: Folder, value: str, message: str, hint: str | None) -> None:
    folder.write("templates/base.toml", PLAIN)
    folder.write("templates/dir/x.toml", PLAIN)
    folder.flow("a", f'extends = "{value}"\n', PLAIN)
    (problem,) = folder.load().problems
    assert (problem.place, problem.key, problem.flow) == ("flows/a.toml:1:11", "extends", "a")
    assert problem.message.endswith(message)
    assert (problem.hint or "").startswith(hint or "")


def test_templates_that_extend_what_is_not_there_or_one_another(folder: Folder) -> None:
    folder.write("templates/base.toml", "[run]\n[schedule]\n")
    folder.write("templates/a.toml", 'extends = "templates/b"\n')
    folder.write("templates/b.toml", '\nextends = "templates/a"\n')
    folder.write("templates/c.toml", 'extends = "templates/gone"\n')
    folder.write("templates/d.toml", 'extends = "templates/d"\n')
    for name in "acd":
        folder.flow(f"f_{name}", f'extends = "templates/{name}"\n', PLAIN)
    config = folder.load()
    circle = "extends: expected templates that do not extend one another in a circle, got"
    assert config.flows == {}
    assert [text for text in said(config) if text.startswith("templates")] == [
        f"templates/b.toml:2:11: {circle} templates/a -> templates/b -> templates/a",
        'templates/c.toml:1:11: extends: expected the name of a template, got "templates/gone" '
        "(a template is called by its path: templates/name, without .toml)",
        f"templates/d.toml:1:11: {circle} templates/d -> templates/d",
    ]
    assert [one.flow for one in config.problems if one.flow] == ["f_a", "f_c", "f_d"]


def test_a_file_that_cannot_be_read_breaks_what_builds_on_it(folder: Folder) -> None:
    folder.write("templates/base.toml", b"\xff")
    (folder.path / "templates/dir.toml").mkdir()
    (folder.path / "flows/x").mkdir()
    (folder.path / "flows/x/defaults.toml").symlink_to("nowhere")
    folder.flow("a", EXTENDS, PLAIN)
    folder.flow("b", 'extends = "templates/dir"\n', PLAIN)
    folder.flow("x/c")
    config = folder.load()
    assert config.flows == {}
    assert [one.message for one in config.problems if one.flow is None] == [
        "expected a link to a file, got one that leads nowhere",
        "expected UTF-8, got the byte 0xff",
        "expected a file that can be read, got: Is a directory",
    ]


# Loading again


def test_a_change_below_is_seen_by_those_who_build_on_it_alone(folder: Folder) -> None:
    folder.write("templates/base.toml", PLAIN)
    folder.flow("x/defaults", 'owner = "one"\n')
    for name, text in {"a": EXTENDS, "b": PLAIN, "x/c": PLAIN}.items():
        folder.flow(name, text)
    first = folder.load()
    folder.write("templates/base.toml", NIGHTLY + RUN)
    second = folder.load(first)
    assert [name for name in first.flows if second.flows[name] is not first.flows[name]] == ["a"]
    folder.flow("x/defaults", 'owner = "two"\n')
    third = folder.load(second)
    assert [name for name in first.flows if third.flows[name] is not second.flows[name]] == ["x/c"]
    assert third.flows["x/c"].flow.owner == "two"


def test_a_file_further_down_the_chain_counts_too(folder: Folder) -> None:
    folder.write("templates/root.toml", 'owner = "one"\n')
    folder.write("templates/base.toml", 'extends = "templates/root"\n')
    folder.flow("a", EXTENDS, PLAIN)
    first = folder.load()
    assert folder.load(first).flows["a"] is first.flows["a"]
    folder.write("templates/root.toml", 'owner = "two"\n')
    assert folder.load(first).flows["a"].flow.owner == "two"


def test_defaults_that_come_and_go_are_seen(folder: Folder) -> None:
    folder.flow("defaults", 'owner = "root"\n')
    folder.flow("x/a")
    first = folder.load()
    near = folder.flow("x/defaults", 'owner = "x"\n')
    second = folder.load(first)
    near.unlink()
    third = folder.load(second)
    owners = [config.flows["x/a"].flow.owner for config in (first, second, third)]
    assert owners == ["root", "x", "root"]


def test_a_template_that_is_mended_mends_its_flows(folder: Folder) -> None:
    folder.write("templates/base.toml", "owner = 3\n")
    folder.flow("a", EXTENDS, PLAIN)
    broken = folder.load()
    removed = folder.write("templates/base.toml", "owner = '3'\n")
    mended = folder.load(broken)
    removed.unlink()
    gone = folder.load(mended)
    assert [list(config.flows) for config in (broken, mended, gone)] == [[], ["a"], []]
    assert gone.holds("a")
