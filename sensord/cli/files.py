"""Flows as the files have them now: for the commands that need no database."""

from sensord.cli.lookup import unknown_flow
from sensord.cli.session import Session
from sensord.config import Config, load
from sensord.core.flow import Flow
from sensord.errors import ConfigError, NotFound


def read_files(session: Session) -> Config:
    """The config folder as it is. NotFound where there is none; ConfigError where sensord.toml is wrong."""
    if not session.config_dir.is_dir():
        raise NotFound(f"no config folder at {session.config_dir}", hint="--config or SENSORD_CONFIG names another")
    return load(session.config_dir, url=session.chosen_url)


def all_flows(config: Config) -> dict[str, Flow]:
    """Every flow whose own file can be read, also one that the daemon refuses for the sake of another that it names."""
    readable = {name: source.loaded.flow for name, source in config.sources.items() if source.loaded}
    return readable | {name: loaded.flow for name, loaded in config.flows.items()}


def find_in_files(config: Config, name: str) -> Flow:
    """The flow of that name. ConfigError where its file is wrong; NotFound where it has none."""
    found = all_flows(config)
    if name in found:
        return found[name]
    if problems := [problem for problem in config.problems if problem.flow == name]:
        raise ConfigError(problems)
    raise unknown_flow(name, sorted(found), hint="`sensord check` reads the same files")
