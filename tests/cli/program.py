"""Calling `sensord` in this process, as click's own runner does, with a clock and an environment of the test's."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from sensord.cli.main import cli
from sensord.cli.session import Session
from sensord.clock import Clock


@dataclass
class Said:
    """What one call printed, and how it ended."""

    out: str
    err: str
    code: int

    @property
    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


@dataclass
class Program:
    folder: Path
    url: str | None
    clock: Clock
    waits: list[float] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None
    answers: str | bytes | None = None
    """What the person at the terminal types, or another program hands over; None: there is none."""

    def __call__(self, *arguments: str, **environ: str) -> Said:
        given = {"SENSORD_CONFIG": str(self.folder)} | ({"SENSORD_DB": self.url} if self.url else {}) | environ
        session = Session(clock=self.clock, environ=given, wait=self.wait, interactive=lambda: self.answers is not None)
        result = CliRunner().invoke(cli, arguments, input=self.answers, obj=session, prog_name="sensord")
        return Said(result.stdout, result.stderr, result.exit_code)

    def wait(self, seconds: float) -> None:
        """Instead of sleeping, what the test has to happen meanwhile."""
        self.waits.append(seconds)
        self.meanwhile()


def write(program: Program, name: str, *parts: str) -> None:
    """A flow's file below the config folder."""
    file = program.folder / "flows" / f"{name}.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(parts))
