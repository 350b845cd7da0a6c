"""Loading again: what has not changed is taken over, what has is read."""

import os
from datetime import UTC, datetime

from tests.config.folder import PLAIN, RUN, Folder, sensor

NIGHTLY = '[schedule]\ncron = "0 2 * * *"\n' + RUN


def test_unchanged_files_are_taken_over(folder: Folder) -> None:
    for name in ("a", "b"):
        folder.flow(name)
    first = folder.load()
    folder.flow("b", NIGHTLY)
    folder.flow("c", PLAIN, sensor(upstream="a"))
    second = folder.load(first)
    assert second.flows["a"] is first.flows["a"]
    assert second.flows["b"].digest != first.flows["b"].digest
    assert sorted(second.flows) == ["a", "b", "c"]


def test_a_removed_file_is_gone_and_its_downstreams_hear_of_it(folder: Folder) -> None:
    removed = folder.flow("a")
    folder.flow("b", PLAIN, sensor(upstream="a"))
    first = folder.load()
    removed.unlink()
    second = folder.load(first)
    assert second.flows == {}
    assert not second.holds("a")
    assert [one.flow for one in second.problems] == ["b"]
    assert second.holds("b")
    folder.flow("a")
    assert sorted(folder.load(second).flows) == ["a", "b"]


def test_an_edit_of_the_same_length_that_keeps_the_time_is_seen(folder: Folder) -> None:
    path = folder.flow("a")
    first = folder.load()
    before = path.stat()
    path.write_text(PLAIN.replace("true", "tree"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert folder.load(first).flows["a"].flow.command.argv == ("tree",)


def test_a_file_put_in_place_by_a_rename_is_seen(folder: Folder) -> None:
    path = folder.flow("a")
    first = folder.load()
    new = folder.write("flows/.a.toml.new", PLAIN.replace("true", "tree"))
    new.replace(path)
    assert folder.load(first).flows["a"].flow.command.argv == ("tree",)


def test_a_follower_moves_with_the_flow_it_follows(folder: Folder) -> None:
    folder.flow("base")
    folder.flow("f", '[schedule]\nfollow = "base"\n', RUN)
    first = folder.load()
    folder.flow("base", NIGHTLY)
    second = folder.load(first)
    noon = datetime(2025, 1, 1, 12, tzinfo=UTC)
    assert second.flows["f"].flow.schedule.next(noon) == datetime(2025, 1, 2, 2, tzinfo=UTC)
    assert second.flows["f"].digest != first.flows["f"].digest
    assert second.flows["f"].schedule_digest == second.flows["base"].schedule_digest


def test_a_file_with_errors_is_read_again_since_what_it_lacked_may_be_there_now(folder: Folder) -> None:
    folder.write("sensord.toml", 'mapping_modules = ["soon"]\n')
    folder.flow("up")
    folder.flow("a", PLAIN, sensor('match = "python:soon:same"'))
    first = folder.load()
    assert [one.flow for one in first.problems] == ["a"]
    folder.write("sensord.toml", 'mapping_modules = ["soon", "tests.config.calendars"]\n')
    folder.flow("a", PLAIN, sensor('match = "python:tests.config.calendars:same"'))
    assert folder.load(first).problems == []


def test_functions_no_longer_allowed_are_refused(folder: Folder) -> None:
    folder.write("sensord.toml", 'mapping_modules = ["tests.config.calendars"]\n')
    folder.flow("up")
    folder.flow("a", PLAIN, sensor('match = "python:tests.config.calendars:same"'))
    first = folder.load()
    assert first.problems == []
    folder.write("sensord.toml", "")
    assert [one.key for one in folder.load(first).problems] == ["sensors[0].match"]


def test_another_folder_takes_nothing_over(folder: Folder) -> None:
    folder.flow("a")
    other = Folder(folder.path.parent / "other")
    other.flow("a", NIGHTLY)
    assert folder.load(other.load()).flows["a"].flow.schedule == folder.loaded("a").flow.schedule
