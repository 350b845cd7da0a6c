"""A config folder for tests: write files, load it, and see what came of them."""

from pathlib import Path

from sensord.config import Config, Loaded, load
from sensord.core.flow import Flow
from sensord.errors import Problem

SCHEDULE = '[schedule]\ncron = "0 * * * *"\n'
RUN = '[run]\ncommand = ["true"]\n'
PLAIN = SCHEDULE + RUN


class Folder:
    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "flows").mkdir(parents=True)

    def write(self, file: str, text: str | bytes = PLAIN) -> Path:
        """Write a file, relative to the config folder."""
        path = self.path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def flow(self, name: str, *parts: str) -> Path:
        """Write a flow's file; without parts, one with nothing wrong in it."""
        return self.write(f"flows/{name}.toml", "".join(parts or (PLAIN,)))

    def load(self, previous: Config | None = None) -> Config:
        return load(self.path, previous)

    def loaded(self, name: str) -> Loaded:
        """The flow of that name, in a folder without any problem."""
        config = self.load()
        assert config.problems == []
        return config.flows[name]

    def read(self, *parts: str) -> Flow:
        """The flow that a file says, beside flows `up` and `other/up`."""
        for name in ("up", "other/up"):
            self.flow(name)
        self.flow("mine", *parts)
        return self.loaded("mine").flow

    def problems(self, *parts: str) -> list[Problem]:
        """What is wrong with the flow `mine`, beside flows `up` and `other/up`."""
        for name in ("up", "other/up"):
            self.flow(name)
        self.flow("mine", *parts)
        config = self.load()
        assert ("mine" in config.flows) == (not config.problems)
        return config.problems


def sensor(*lines: str, upstream: str = "up") -> str:
    return "\n".join(["[[sensors]]", f'upstream = "{upstream}"', *lines, ""])
