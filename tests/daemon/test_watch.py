"""Watching: when a change counts, what is looked at, and what becomes of it where the system tells nothing."""

import pytest

from sensord.config.files import Stamp
from sensord.config.glance import Glance
from sensord.daemon.eyes import POLL, Eyes, Polling
from sensord.daemon.watch import LOOK_ROUND, QUIET, Watch


def seen(*files: str, written_at: int = 0, folders: tuple[str, ...] = ("flows",)) -> Glance:
    stamp = Stamp(written_at, written_at, 0, 0, 0)
    return Glance(dict.fromkeys(files, stamp), dict.fromkeys(folders, (0, 0)), dict.fromkeys(folders))


class Folder:
    """A config folder whose changes come at known seconds, the clock that goes on while it is waited for, a source."""

    def __init__(self, before: Glance, *changes: tuple[float, Glance]) -> None:
        self.now = 0.0
        self.looks = 0
        self.followed: list[Glance] = []
        self._before = before
        self._changes = changes
        self._told = 0
        self.deaf = False

    def look(self) -> Glance:
        self.looks += 1
        return next((glance for at, glance in reversed(self._changes) if at <= self.now), self._before)

    def monotonic(self) -> float:
        return self.now

    def follow(self, glance: Glance) -> None:
        self.followed.append(glance)

    def wait(self, seconds: float) -> bool:
        until = self.now + seconds
        if self._told < len(self._changes) and self._changes[self._told][0] <= until and not self.deaf:
            self.now = max(self.now, self._changes[self._told][0])
            self._told += 1
            return True
        self.now = until
        return False

    def close(self) -> None:
        raise AssertionError("whoever opens the source closes it")


def reloads(folder: Folder, until: float) -> list[float]:
    """When the watch says that the folder is to be read again."""
    watch = Watch(folder.look, folder, folder.monotonic)
    found = []
    while folder.now < until:
        if watch.turn():
            found.append(round(folder.now, 3))
    return found


def test_a_change_counts_when_it_has_come_to_rest() -> None:
    folder = Folder(seen("a"), (10.0, seen("a", "b")))

    assert reloads(folder, 50) == [10.2]


def test_all_files_that_are_written_at_once_are_one_change() -> None:
    writes = [(10.0 + number / 10, seen(*"abcde"[: number + 1])) for number in range(5)]

    assert reloads(Folder(seen(), *writes), 50) == [10.6]


def test_edits_that_never_end_count_every_few_seconds() -> None:
    writes = [(10.0 + number / 10, seen("a", written_at=number)) for number in range(120)]

    assert reloads(Folder(seen(), *writes), 50) == [15.0, 20.1, 22.1]


def test_an_event_that_changed_nothing_is_none() -> None:
    folder = Folder(seen("a"), (10.0, seen("a")), (20.0, seen("a")))

    assert reloads(folder, 50) == []


def test_what_is_there_and_gone_again_is_no_change() -> None:
    folder = Folder(seen("a"), (10.0, seen("a", "4913")), (10.1, seen("a")))

    assert reloads(folder, 50) == []


def test_a_change_that_nobody_tells_of_is_found_within_a_minute() -> None:
    folder = Folder(seen("a"), (10.0, seen("b")))
    folder.deaf = True

    assert reloads(folder, 200) == [LOOK_ROUND]


def test_without_changes_there_is_one_look_a_minute() -> None:
    folder = Folder(seen("a"))

    reloads(folder, 600)

    assert folder.looks == 2 + 10


def test_a_new_folder_is_followed_and_looked_at_once_more() -> None:
    grown, filled = seen("a", folders=("flows", "new")), seen("a", "new/b", folders=("flows", "new"))
    folder = Folder(seen("a"), (10.0, grown), (10.2, filled))

    found = reloads(folder, 50)

    assert folder.followed[1:] == [filled]
    assert found == [10.4]


def test_what_changes_while_the_source_sets_out_is_found() -> None:
    class Slow(Folder):
        def follow(self, glance: Glance) -> None:
            super().follow(glance)
            self.now += 1.0

    folder = Slow(seen("a"), (0.5, seen("b")))
    folder.deaf = True

    assert reloads(folder, 50) == [1.2]


class Eye:
    def __init__(self, *answers: bool | Exception) -> None:
        self.answers = list(answers)
        self.open = True

    def wait(self, seconds: float) -> bool:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        self.open = False


class TestEyes:
    def test_events_go_before_polling(self) -> None:
        events = Eye(True)
        eyes = Eyes(lambda _: Eye(False), lambda _: events)

        eyes.follow(seen())

        assert eyes.wait(1)
        eyes.close()
        assert not events.open

    @pytest.mark.parametrize("error", [OSError("limit reached"), RuntimeError("too many open files")])
    def test_where_the_system_refuses_it_polls_from_then_on_and_says_so(
        self, error: Exception, caplog: pytest.LogCaptureFixture
    ) -> None:
        asked: list[Glance] = []

        def refuse(glance: Glance) -> Eye:
            asked.append(glance)
            raise error

        eyes = Eyes(lambda _: Eye(False, True), refuse)
        eyes.follow(seen())
        assert [eyes.wait(1), eyes.wait(1)] == [False, True]
        eyes.follow(seen("a"))

        assert len(asked) == 1
        [message] = caplog.messages
        assert str(error) in message
        assert "fs.inotify.max_user_watches" in message

    def test_events_that_break_off_are_a_change_and_then_it_polls(self, caplog: pytest.LogCaptureFixture) -> None:
        broken = Eye(RuntimeError("gone"))
        eyes = Eyes(lambda _: Eye(False), lambda _: broken)
        eyes.follow(seen())

        assert [eyes.wait(1), eyes.wait(1)] == [True, False]
        assert not broken.open
        assert len(caplog.messages) == 1

    def test_a_folder_that_has_just_gone_does_not_end_events(self) -> None:
        openings: list[Eye | Exception] = [FileNotFoundError("gone"), Eye(True)]

        def hear(_: Glance) -> Eye:
            opening = openings.pop(0)
            if isinstance(opening, Exception):
                raise opening
            return opening

        eyes = Eyes(lambda _: Eye(False), hear)
        eyes.follow(seen())
        assert not eyes.wait(1)

        eyes.follow(seen())
        assert eyes.wait(1)


class Bell:
    """Stands for the event that ends the watch: waiting for it lets the clock go on."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(round(timeout or 0.0, 3))
        self.folder.now += timeout or 0.0
        return False


class TestPolling:
    def test_it_sees_what_has_changed_since_the_last_look(self) -> None:
        folder = Folder(seen("a"), (3.0, seen("b")))
        polling = Polling(folder.look, folder.look(), Bell(folder), folder.monotonic)

        assert [polling.wait(60) for _ in range(3)] == [False, True, False]

    def test_it_waits_no_longer_than_it_is_told(self) -> None:
        folder = Folder(seen("a"))
        bell = Bell(folder)
        polling = Polling(folder.look, folder.look(), bell, folder.monotonic)

        polling.wait(60)
        polling.wait(QUIET)

        assert bell.waits == [POLL, QUIET]

    def test_where_a_look_takes_long_looks_are_rare(self) -> None:
        class Large(Folder):
            def look(self) -> Glance:
                self.now += 0.5
                return super().look()

        folder = Large(seen("a"))
        bell = Bell(folder)
        polling = Polling(folder.look, folder.look(), bell, folder.monotonic)

        polling.wait(60)
        polling.wait(60)

        assert bell.waits == [POLL, 50.0]
