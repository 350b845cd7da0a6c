"""Which files are flows, what they are called, and what happens with all that is none."""

import os
import socket
from pathlib import Path

import pytest

from sensord.config.files import find_files
from sensord.config.names import explain_bad_name
from sensord.errors import ConfigError
from tests.config.folder import PLAIN, Folder


def problems(folder: Folder) -> list[tuple[str | None, str | None, str]]:
    return [(one.file, one.flow, one.message) for one in folder.load().problems]


def test_a_flow_is_called_by_its_path_without_the_ending(folder: Folder) -> None:
    for name in ("a", "finance/orders_daily", "x.toml/1.2-b", "_z"):
        folder.flow(name)
    config = folder.load()
    assert sorted(config.flows) == ["_z", "a", "finance/orders_daily", "x.toml/1.2-b"]
    assert config.flows["finance/orders_daily"].file == "flows/finance/orders_daily.toml"
    assert config.problems == []


@pytest.mark.parametrize(
    "file",
    ["README.md", "x.toml~", "x.toml.swp", ".#x.toml", ".x.toml", "#x.toml#", "x.toml.bak", ".git/x.toml", "x", "toml"],
)
def test_what_editors_and_others_leave_is_passed_over(folder: Folder, file: str) -> None:
    folder.write(f"flows/{file}", "no TOML at all")
    config = folder.load()
    assert (config.flows, config.problems) == ({}, [])


@pytest.mark.parametrize("part", ["a b", "-a", "é", "a:b", "a\nb", "a\x1b"])
def test_a_name_with_other_characters_is_an_error_of_that_file_alone(folder: Folder, part: str) -> None:
    folder.flow(part)
    folder.flow(f"{part}/inner")
    folder.flow("good")
    config = folder.load()
    assert list(config.flows) == ["good"]
    assert [(one.file, one.flow) for one in config.problems] == [
        (f"flows/{part}.toml", None),
        (f"flows/{part}/inner.toml", None),
    ]
    assert config.problems[0].message.startswith("expected a name of letters, digits and _ . - that starts with")


def test_a_name_that_is_no_text_is_an_error_fit_to_print(folder: Folder) -> None:
    folder.write("flows/" + os.fsdecode(b"a\xff.toml"))
    (problem,) = folder.load().problems
    assert problem.file == "flows/a\\xff.toml"
    assert str(problem).isprintable()


def test_a_name_has_at_most_200_characters(folder: Folder) -> None:
    longest = "/".join(["a" * 49] * 4)
    assert explain_bad_name(longest + "b") is None
    folder.flow(longest + "bc")
    assert problems(folder) == [(f"flows/{longest}bc.toml", None, "expected a name of at most 200 characters, got 201")]


def test_names_that_differ_in_case_only_are_all_refused(folder: Folder) -> None:
    for name in ("Orders", "orders", "other"):
        folder.flow(name)
    config = folder.load()
    assert list(config.flows) == ["other"]
    assert [(one.flow, one.message) for one in config.problems] == [
        ("Orders", 'expected a name that is unique without case, got "Orders" beside "orders"'),
        ("orders", 'expected a name that is unique without case, got "orders" beside "Orders"'),
    ]


def test_defaults_are_never_a_flow(folder: Folder) -> None:
    folder.flow("defaults")
    folder.flow("mart/defaults")
    config = folder.load()
    assert (config.flows, config.problems, config.holds("defaults")) == ({}, [], False)


def test_another_spelling_of_the_ending_is_not_passed_over(folder: Folder) -> None:
    folder.write("flows/a.TOML")
    message = "expected a name that ends in .toml, got another spelling of it"
    assert problems(folder) == [("flows/a.TOML", None, message)]


@pytest.mark.parametrize(
    ("content", "message", "line", "column"),
    [
        ("# é\nä = ".encode() + b"\xff", "expected UTF-8, got the byte 0xff", 2, 5),
        (PLAIN.encode("utf-16"), "expected UTF-8, got the byte 0xff", 1, 1),
        (b"#" * (256 * 1024 + 1), "expected a file of at most 262,144 bytes, got 262,145", None, None),
    ],
    ids=["stray byte", "UTF-16", "too large"],
)
def test_a_file_that_is_no_text(folder: Folder, content: bytes, message: str, line: int, column: int) -> None:
    folder.write("flows/a.toml", content)
    (problem,) = folder.load().problems
    assert (problem.flow, problem.message, problem.line, problem.column) == ("a", message, line, column)


def test_the_largest_file_is_read(folder: Folder) -> None:
    folder.write("flows/a.toml", PLAIN + "#" * (256 * 1024 - len(PLAIN)))
    assert folder.loaded("a").flow.command.argv == ("true",)


def test_a_pipe_and_a_socket_are_errors_and_nobody_waits_for_them(folder: Folder) -> None:
    os.mkfifo(folder.path / "flows/pipe.toml")
    here = Path.cwd()
    with socket.socket(socket.AF_UNIX) as listener:
        os.chdir(folder.path / "flows")  # the path of a socket must be short
        try:
            listener.bind("socket.toml")
        finally:
            os.chdir(here)
    assert problems(folder) == [
        ("flows/pipe.toml", "pipe", "expected a regular file, got a pipe"),
        ("flows/socket.toml", "socket", "expected a regular file, got a socket"),
    ]


def test_links_are_followed_wherever_they_lead(folder: Folder, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.toml").write_text(PLAIN)
    (folder.path / "flows/linked").symlink_to(outside)
    (folder.path / "flows/b.toml").symlink_to(outside / "a.toml")
    assert sorted(folder.load().flows) == ["b", "linked/a"]


def test_a_link_that_leads_nowhere_or_in_a_circle_is_an_error(folder: Folder) -> None:
    folder.flow("a")
    (folder.path / "flows/gone.toml").symlink_to("nowhere")
    (folder.path / "flows/self.toml").symlink_to("self.toml")
    (folder.path / "flows/up").symlink_to("..")
    config = folder.load()
    assert list(config.flows) == ["a"]
    assert problems(folder) == [
        ("flows/gone.toml", "gone", "expected a link to a file, got one that leads nowhere"),
        ("flows/self.toml", "self", "expected a file that can be read, got: Too many levels of symbolic links"),
        ("flows/up/flows", None, "expected a link that leads out of its own folder, got one back into it"),
    ]


def test_what_cannot_be_read_is_an_error_and_no_removal(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.flow("file")
    folder.flow("closed/inner")
    folder.flow("good")
    allowed, listed = os.open, os.scandir

    def refuse_open(path: str, flags: int) -> int:
        if path.endswith("/file.toml"):
            raise PermissionError(13, "Permission denied", path)
        return allowed(path, flags)

    def refuse_list(path: str) -> object:
        if path.endswith("/closed"):
            raise PermissionError(13, "Permission denied", path)
        return listed(path)

    monkeypatch.setattr(os, "open", refuse_open)
    monkeypatch.setattr(os, "scandir", refuse_list)
    config = folder.load()
    assert [(one.file, one.flow, one.message) for one in config.problems] == [
        ("flows/closed", None, "expected a folder that can be listed, got: Permission denied"),
        ("flows/file.toml", "file", "expected a file that can be read, got: Permission denied"),
    ]
    assert list(config.flows) == ["good"]
    assert [name for name in ("good", "file", "closed/inner", "gone") if config.holds(name)] == [
        "good",
        "file",
        "closed/inner",
    ]


def test_a_file_that_goes_while_it_is_read_is_not_there(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder.flow("a")
    allowed = os.open

    def remove_and_open(path_: str, flags: int) -> int:
        path.unlink(missing_ok=True)
        return allowed(path_, flags)

    monkeypatch.setattr(os, "open", remove_and_open)
    config = folder.load()
    assert (config.flows, config.problems, config.holds("a")) == ({}, [], False)


@pytest.mark.parametrize(
    ("gone", "hint"), [("flows", "flows are files in it, one each"), ("", "`sensord init` makes one")]
)
def test_without_a_folder_of_flows_nothing_is_loaded(folder: Folder, gone: str, hint: str) -> None:
    (folder.path / "flows").rmdir()
    if not gone:
        folder.path.rmdir()
    with pytest.raises(ConfigError) as caught:
        folder.load()
    (problem,) = caught.value.problems
    assert (problem.message, problem.hint) == (f"expected a folder flows, got none in {folder.path}", hint)


def test_an_empty_folder_is_no_error(folder: Folder) -> None:
    config = folder.load()
    assert (config.flows, config.problems) == ({}, [])


def test_a_file_that_is_the_same_is_taken_over_and_any_other_is_not(folder: Folder) -> None:
    folder.flow("same", PLAIN)
    folder.flow("edited", PLAIN)
    folder.flow("now_a_folder", PLAIN)
    before = {found.path: found for found in find_files(folder.path).files}
    (folder.path / "flows" / "now_a_folder.toml").unlink()
    (folder.path / "flows" / "now_a_folder.toml").mkdir()
    folder.flow("edited", PLAIN, "\n")

    found = {one.name: one for one in find_files(folder.path, before).files}

    assert found.keys() == {"same", "edited"}
    assert found["same"] is before[found["same"].path]
    assert found["edited"] != before[found["edited"].path]
