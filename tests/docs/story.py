"""Pages whose outputs are real: their files, what happens in between, and their commands are lived through in order.

A page is Markdown. A ```toml block whose first line is a comment with the name of a file is written there, into the
config folder; a block of another language, whole, beside that folder. An HTML comment `<!-- story ... -->` says what
happens, a line each: see `Story`. In a ```console block `$ sensord ...` is called, and the lines below are its output,
of which `...` stands for anything.
"""

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sensord.executors.folders import log_of
from tests.cli.program import Program
from tests.daemon.world import World, at

BLOCK = re.compile(
    r"<!-- story\n(?P<events>.*?)-->|```toml\n# (?P<file>\S+)\n(?P<content>.*?)```|```console\n(?P<console>.*?)```"
    r"|```(crontab|python)\n(?P<source># (?P<beside>\S+)\n.*?)```",
    re.DOTALL,
)


@dataclass(frozen=True)
class Call:
    """A command of a page, what the page says that it prints, and what it prints."""

    command: str
    told: list[str]
    said: list[str]

    @property
    def holds(self) -> bool:
        return re.fullmatch(_pattern(self.told), "\n".join(self.said), re.DOTALL) is not None


class Story:
    """now T: it is that time. start: the daemon starts. turn T: it is that time, and the daemon does its work.
    end FLOW DATE CODE: a command ends. log FLOW DATE TEXT: it writes a line. reload: the files are read again. restart:
    the daemon is killed and started again. remove FLOW: its file goes. pause FLOW, resume FLOW. All times are UTC.
    """

    def __init__(self, world: World, program: Program) -> None:
        self.world = world
        self.program = program
        self.calls: list[Call] = []
        program.meanwhile = world.tick
        self._events: dict[str, Callable[..., object]] = {
            "now": lambda time: world.clock.set(at(time)),
            "start": self._start,
            "turn": world.tick,
            "end": self._end,
            "log": self._log,
            "reload": lambda: world.daemon.reload(),
            "restart": world.restart,
            "remove": world.remove,
            "pause": lambda flow: world.daemon.change("pause", {"flow": flow}),
            "resume": self._resume,
        }

    def live(self, page: str) -> str:
        """The page with the outputs that there really were, where those that it had do not hold."""
        return BLOCK.sub(self._block, page)

    def _block(self, found: re.Match[str]) -> str:
        if found["file"]:
            _write(self.world.folder / found["file"], found["content"])
        if found["beside"]:
            _write(self.world.folder.parent / found["beside"], found["source"])
        for line in (found["events"] or "").splitlines():
            word, *arguments = line.split(maxsplit=3 if line.startswith("log ") else -1)
            self._events[word](*arguments)
        if found["console"] is None:
            return found[0]
        calls = [self._call(*one) for one in _commands(found["console"])]
        self.calls += calls
        shown = ["\n".join([f"$ {one.command}", *(one.told if one.holds else one.said)]) for one in calls]
        return "\n".join(["```console", *shown, "```"])

    def _call(self, command: str, told: list[str]) -> Call:
        program, *words = shlex.split(command)
        assert program == "sensord", command
        if words[:2] == ["daemon", "start"]:
            self._start()
            return Call(command, told, told)
        said = self.program(*words, SENSORD_CONFIG=self.world.folder.name)
        return Call(command, told, self._same_everywhere(said.out + said.err).splitlines())

    def _same_everywhere(self, text: str) -> str:
        """Without what is different in every test: its folder, the process that it runs in, and who runs it."""
        here = text.replace(f"{self.world.folder.parent}/", "")
        here = re.sub(r"process \d+ on here, for \w+", "process 19047 on etl1, for 3d2h", here)
        return re.sub(r"\bby [^\s@]+@[^\s@]+( at|$)", r"by ann@etl1\1", here, flags=re.MULTILINE)

    def _start(self) -> None:
        self.world.start()
        self.world.tick()

    def _resume(self, flow: str) -> None:
        self.world.daemon.change("resume", {"flow": flow})
        self.world.tick()

    def _end(self, flow: str, date: str, code: str) -> None:
        self.world.end(flow, date, int(code))
        self.world.tick()

    def _log(self, flow: str, date: str, text: str) -> None:
        attempt = self.world.attempt(flow, date)
        path = self.world.folder.parent / ".sensord" / "runs" / log_of(attempt.run_id, attempt.number)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write(f"{text}\n")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _commands(console: str) -> Iterator[tuple[str, list[str]]]:
    for part in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
        command, *told = part.rstrip("\n").split("\n")
        yield command, told


def _pattern(told: list[str]) -> str:
    return re.escape("\n".join(told)).replace(r"\.\.\.", ".*?")
