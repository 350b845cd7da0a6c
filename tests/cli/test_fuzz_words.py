"""Whatever is typed, the program answers or says what is wrong: never a traceback, nor an exit code of its own."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.cli.program import Program
from tests.daemon.world import HOURLY, World, on

CODES = {0, 1, 2, 3, 4, 130}
COMMANDS = [
    ["check"],
    ["status"],
    ["why"],
    ["resolve"],
    ["next"],
    ["graph"],
    ["flow", "list"],
    ["flow", "show"],
    ["flow", "pause"],
    ["flow", "resume"],
    ["run", "list"],
    ["run", "show"],
    ["run", "logs"],
    ["run", "trigger"],
    ["run", "rerun"],
    ["run", "cancel"],
    ["run", "mark"],
    ["daemon", "status"],
    ["db", "check"],
]
WORDS = st.one_of(
    st.sampled_from(
        [
            *("orders", "mart", "nothing", "../orders", "orders.toml", "ORDERS", "", " ", "-", "--", "*", "latest"),
            *("2026-11-22T10:00", "2026-11-22T10:00:00Z", "2026-11-22", "0001-01-01", "9999-12-31T23:59:59Z", "today"),
            *("2026-02-30", "2026-11-22T10:00:00+25:00", "infinity", "1e400", "99999999999999999999", "-1", "0"),
            *("--json", "--help", "--after", "-n", "--limit", "--state", "--flow", "--param", "k=v", "--at", "--now"),
            *("--tag", "--owner", "--horizon", "2y", "1mo", "P1D", "--date", "--downstream", "--format", "svg"),
            *("\x00", "\x1b[31m", "\udcff", "é\u202e", "a" * 5000, "%s{}", "'; DROP TABLE run; --"),
        ]
    ),
    st.text(st.characters(), max_size=12),
)


@pytest.fixture
def filled(world: World, sensord: Program) -> Program:
    world.flow("orders", HOURLY)
    world.flow("mart", HOURLY, on("orders"))
    world.start()
    world.tick()
    world.daemon.lead.release()  # so nothing that is asked for waits for an answer
    return sensord


@given(command=st.sampled_from(COMMANDS), words=st.lists(WORDS, max_size=4))
@example(command=["run", "show"], words=["²"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_words(filled: Program, command: list[str], words: list[str]) -> None:
    said = filled(*command, *words)

    assert said.code in CODES, (command, words, said)
    assert "internal error" not in said.err
    assert "Traceback" not in said.err
    assert "\x1b[31m" not in said.out + said.err


@given(words=st.lists(WORDS, min_size=1, max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_command_at_all(filled: Program, words: list[str]) -> None:
    said = filled(*words)

    assert said.code in CODES, (words, said)
    assert "internal error" not in said.err


@given(url=st.one_of(st.text(max_size=20), st.text(max_size=12).map("sqlite://".__add__)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_database(on_files: Program, url: str) -> None:
    said = on_files("status", SENSORD_DB=url)

    assert said.code in CODES - {0} or not url, (url, said)
    assert "internal error" not in said.err
