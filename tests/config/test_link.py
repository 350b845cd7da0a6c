"""Flows that name other flows: unknown, broken, in a circle, and known from before."""

from sensord.config import load
from sensord.core.schedule import Schedule
from sensord.errors import Problem
from tests.config.folder import PLAIN, RUN, Folder, sensor

Said = tuple[str | None, str | None, str, str | None]
BROKEN = "schedule = 3\n" + RUN


def follow(name: str) -> str:
    return f'[schedule]\nfollow = "{name}"\n'


def said(problems: list[Problem]) -> list[Said]:
    return [(one.flow, one.key, one.message, one.hint) for one in problems]


def schedule(folder: Folder, name: str = "any") -> Schedule:
    """Some schedule, as the daemon knows it of a flow at work."""
    other = Folder(folder.path.parent / f"other_{name}")
    other.flow(name)
    return other.loaded(name).flow.schedule


def test_an_unknown_upstream_is_an_error_of_that_file_alone(folder: Folder) -> None:
    folder.flow("good", PLAIN, sensor())
    folder.flow("ingest/orders")
    problems = folder.problems(PLAIN, sensor(), sensor(upstream="ingest/ordrs"))
    assert said(problems) == [
        (
            "mine",
            "sensors[1].upstream",
            'expected the name of a flow, got "ingest/ordrs"',
            'did you mean "ingest/orders"?',
        )
    ]
    assert (problems[0].line, problems[0].column) == (8, 12)
    assert "good" in folder.load().flows


def test_what_was_meant_is_proposed(folder: Folder) -> None:
    folder.flow("ingest/orders")
    proposals = {
        "orders": 'did you mean "ingest/orders"?',
        "mart/orders": 'did you mean "ingest/orders"?',
        "flows/ingest/orders.toml": 'did you mean "ingest/orders"?',
        "Ingest/Orders": 'did you mean "ingest/orders"?',
        "zzz": "there is no flows/zzz.toml",
        "zzz.toml": "a flow is called by its path below flows/ without .toml",
        "": "a flow is called by its path below flows/ without .toml",
    }
    for name, hint in proposals.items():
        (problem,) = folder.problems(PLAIN, sensor(upstream=name))
        assert problem.hint == hint, name


def test_an_upstream_with_errors_takes_its_downstreams_out_and_theirs(folder: Folder) -> None:
    folder.flow("a", BROKEN)
    folder.flow("b", PLAIN, sensor(upstream="a"))
    folder.flow("c", PLAIN, sensor(upstream="b"), sensor(upstream="c"))
    folder.flow("d")
    config = folder.load()
    assert list(config.flows) == ["d"]
    assert said(config.problems)[1:] == [
        (
            "b",
            "sensors[0].upstream",
            'expected a flow that can be used, got "a"',
            "its own file has errors: flows/a.toml",
        ),
        (
            "c",
            "sensors[0].upstream",
            'expected a flow that can be used, got "b"',
            "its own file has errors: flows/b.toml",
        ),
    ]


def test_a_broken_file_harms_nobody_while_its_last_good_definition_is_at_work(folder: Folder) -> None:
    folder.flow("a", BROKEN)
    folder.flow("b", PLAIN, sensor(upstream="a"))
    folder.flow("f", follow("a"), RUN)
    known = schedule(folder)
    config = load(folder.path, known={"a": known})
    assert sorted(config.flows) == ["b", "f"]
    assert [one.flow for one in config.problems] == ["a"]
    assert config.flows["f"].flow.schedule == known


def test_an_unknown_upstream_is_an_error_even_of_a_known_flow(folder: Folder) -> None:
    folder.flow("b", PLAIN, sensor(upstream="a"))
    folder.flow("c", PLAIN, sensor(upstream="b"))
    config = load(folder.path, known={"a": schedule(folder), "b": schedule(folder, "b")})
    assert [one.flow for one in config.problems] == ["b"]
    assert list(config.flows) == ["c"]


def test_flows_may_wait_for_one_another(folder: Folder) -> None:
    folder.flow("a", PLAIN, sensor(upstream="b"))
    folder.flow("b", PLAIN, sensor(upstream="a"))
    assert sorted(folder.load().flows) == ["a", "b"]


def test_following_an_unknown_flow(folder: Folder) -> None:
    (problem,) = folder.problems(follow("upp"), RUN)
    assert said([problem]) == [
        ("mine", "schedule.follow", 'expected the name of a flow, got "upp"', 'did you mean "up"?')
    ]
    assert (problem.line, problem.column) == (2, 10)


def test_following_a_flow_with_errors_and_its_follower(folder: Folder) -> None:
    folder.flow("a", BROKEN)
    folder.flow("b", follow("a"), RUN)
    folder.flow("c", follow("b"), RUN)
    problems = [one for one in said(folder.load().problems) if one[0] != "a"]
    assert problems == [
        ("b", "schedule.follow", 'expected a flow that can be used, got "a"', "its own file has errors: flows/a.toml"),
        ("c", "schedule.follow", 'expected a flow that can be used, got "b"', "its own file has errors: flows/b.toml"),
    ]


def test_following_in_a_circle(folder: Folder) -> None:
    folder.flow("a", follow("b"), RUN)
    folder.flow("b", follow("c"), RUN)
    folder.flow("c", follow("b"), RUN)
    folder.flow("d", follow("d"), RUN)
    hint = "one of them needs a cron or every"
    text = "expected flows that do not follow one another in a circle, got"
    assert said(folder.load().problems) == [
        ("a", "schedule.follow", 'expected a flow that can be used, got "b"', "its own file has errors: flows/b.toml"),
        ("b", "schedule.follow", f"{text} b -> c -> b", hint),
        ("c", "schedule.follow", f"{text} c -> b -> c", hint),
        ("d", "schedule.follow", f"{text} d -> d", hint),
    ]


def test_a_follower_with_errors_of_its_own_hears_of_all_at_once(folder: Folder) -> None:
    folder.flow("a", BROKEN)
    problems = folder.problems(follow("nowhere"), RUN, "priority = 1.5\n")
    assert [one.key for one in problems if one.flow == "mine"] == ["schedule.follow", "run.priority"]
    problems = folder.problems(follow("a"), RUN, "priority = 1.5\n")
    assert [one.key for one in problems if one.flow == "mine"] == ["schedule.follow", "run.priority"]


def test_what_is_wrong_with_a_follower_is_said_once_the_zone_is_known(folder: Folder) -> None:
    bounds = "start = 2025-01-02\nend = 2025-01-01\n"
    (problem,) = folder.problems(follow("up"), bounds, RUN)
    assert (problem.key, problem.line) == ("schedule.end", 4)


def test_following_needs_no_good_sensors(folder: Folder) -> None:
    folder.flow("a", PLAIN, sensor(upstream="nowhere"))
    folder.flow("f", follow("a"), RUN)
    assert list(folder.load().flows) == ["f"]


def test_a_long_chain_of_followers(folder: Folder) -> None:
    folder.flow("f0")
    for number in range(1, 1500):
        folder.flow(f"f{number}", follow(f"f{number - 1}"), RUN)
    config = folder.load()
    assert len(config.flows) == 1500
    assert config.problems == []


def test_loaded_says_where_other_flows_are_named(folder: Folder) -> None:
    folder.flow("up")
    folder.flow("mine", follow("up"), RUN, sensor())
    places = folder.loaded("mine").places
    assert places == {"schedule.follow": (2, 10), "sensors[0].upstream": (6, 12)}
