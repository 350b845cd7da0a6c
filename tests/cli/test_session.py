"""Where a command looks: options before environment before files."""

from pathlib import Path

import pytest

from sensord.cli.place import read_place
from sensord.cli.session import Session
from sensord.config import load_settings
from sensord.errors import ConfigError, UsageError
from tests.cli.program import Program


def session(options: dict[str, str] | None = None, **environ: str) -> Session:
    return Session(environ=environ, options=options or {})


def test_the_config_folder_is_the_option_or_the_environment_or_config() -> None:
    assert session().config_dir == Path("config")
    assert session(SENSORD_CONFIG="/etc/sensord").config_dir == Path("/etc/sensord")
    assert session({"config": "here"}, SENSORD_CONFIG="/etc/sensord").config_dir == Path("here")


def test_the_database_is_the_option_or_the_environment_or_what_the_files_say(tmp_path: Path) -> None:
    folder = str(tmp_path / "config")
    by_file = session(SENSORD_CONFIG=folder)
    by_environment = session(SENSORD_CONFIG=folder, SENSORD_DB="postgresql:///a")
    by_option = session({"db": "postgresql:///b"}, SENSORD_CONFIG=folder, SENSORD_DB="postgresql:///a")
    assert by_file.url == f"sqlite://{tmp_path}/.sensord/sensord.db"
    assert by_file.chosen_url is None
    assert by_environment.url == "postgresql:///a"
    assert by_option.url == "postgresql:///b"


@pytest.mark.parametrize(
    "url",
    ["postgresql://me:secret@host/db", "postgresql://host/db?password=secret", "postgresql://:secret@host/db"],
)
def test_a_password_on_the_command_line_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        session().choose("db", url)
    assert "secret" not in f"{refused.value} {refused.value.hint}"
    assert refused.value.exit_code == 2


@pytest.mark.parametrize("place", ["before", "after", "between"])
def test_common_options_are_taken_before_and_after_the_command(on_files: Program, place: str) -> None:
    url = f"sqlite://{on_files.folder}/none.db"
    arguments = {
        "before": ["--db", url, "run", "list"],
        "between": ["run", "--db", url, "list"],
        "after": ["run", "list", "--db", url],
    }[place]
    assert f"no database at {on_files.folder}/none.db" in on_files(*arguments).err


def test_the_option_after_the_command_wins(on_files: Program) -> None:
    said = on_files("--db", "sqlite:///one.db", "status", "--db", "sqlite:///two.db")
    assert "/two.db" in said.err


def test_a_password_is_refused_in_both_places(on_files: Program) -> None:
    for arguments in (["--db", "postgresql://me:x@h/d", "status"], ["status", "--db", "postgresql://me:x@h/d"]):
        said = on_files(*arguments)
        assert said.code == 2
        assert "without a password" in said.err


SETTINGS = [
    "",
    'state = "/var/lib/sensord"',
    'state = "../var//x/../y"',
    'database = "postgresql://etl@host/warehouse"',
    'database = "sqlite:///tmp/x.db"\nstate = "s"',
    "slots = 3",
    'database_file = "url.txt"',
]
WRONG = ['state = ""', "state = 3", 'database = "mysql://x"', "state = ", 'database = ""']


@pytest.mark.parametrize("text", SETTINGS)
def test_the_short_way_to_the_settings_says_what_the_long_way_says(tmp_path: Path, text: str) -> None:
    (tmp_path / "sensord.toml").write_text(text)
    (tmp_path / "url.txt").write_text("postgresql://me:secret@host/db\n")
    settings = load_settings(tmp_path)
    assert read_place(tmp_path) == (settings.database_url, settings.state)


def test_without_a_file_both_ways_give_the_defaults(tmp_path: Path) -> None:
    settings = load_settings(tmp_path)
    assert read_place(tmp_path) == (settings.database_url, settings.state)


def test_a_config_folder_that_is_a_link_keeps_its_state_beside_the_link(tmp_path: Path) -> None:
    (tmp_path / "releases" / "7").mkdir(parents=True)
    (tmp_path / "config").symlink_to(tmp_path / "releases" / "7")
    assert read_place(tmp_path / "config").state == tmp_path / ".sensord"


@pytest.mark.parametrize("text", WRONG)
def test_wrong_settings_are_errors_by_either_way(tmp_path: Path, text: str) -> None:
    (tmp_path / "sensord.toml").write_text(text)
    with pytest.raises(ConfigError):
        load_settings(tmp_path)
    with pytest.raises(ConfigError):
        read_place(tmp_path)
