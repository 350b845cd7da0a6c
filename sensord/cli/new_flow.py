"""`sensord flow new`: the file of a new flow, checked against those that are there."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from sensord.cli.files import all_flows, read_files
from sensord.cli.lookup import unknown_flow
from sensord.cli.scaffold import new_flow, write_new
from sensord.cli.session import Session
from sensord.config import Config, load
from sensord.config.names import FLOWS_FOLDER, TEMPLATES_FOLDER, explain_bad_name
from sensord.errors import InvalidValue, NotFound, Problem, SensordError, UsageError

HOURLY = "0 * * * *"


class Made(NamedTuple):
    """The file, and what is wrong with the flow that it makes."""

    path: Path
    problems: list[Problem]


def make(session: Session, name: str, cron: str | None, template: str | None, upstreams: Sequence[str]) -> Made:
    """Write the file. UsageError for a name that cannot be; NotFound where an upstream or the template is not there."""
    if bad := explain_bad_name(name):
        raise UsageError(bad[0], hint="a flow is called by its path below flows/: `mart/sales`")
    config = read_files(session)
    twin = next((one for one in config.sources if one.lower() == name.lower()), None)
    if twin:
        raise SensordError(f"there is a flow {twin!r} already", hint=f"its file is {config.sources[twin].found.file}")
    known = sorted(all_flows(config))
    for upstream in upstreams:
        if upstream not in known:
            raise unknown_flow(upstream, known, hint="`sensord graph` shows the flows that there are")
    extends = f"{TEMPLATES_FOLDER}/{template.removeprefix(f'{TEMPLATES_FOLDER}/')}" if template else None
    given = _inherited(config, name, extends)
    if cron:
        _require_rule(cron)
    rule = cron or (None if given & {"cron", "every", "follow"} else HOURLY)
    text = new_flow(name, cron=rule, command="command" not in given, template=extends, upstreams=upstreams)
    path = config.directory / FLOWS_FOLDER / f"{name}.toml"
    try:
        if not write_new(path, text):
            raise SensordError(f"{path} is there already, and is no flow that can be read", hint="see `sensord check`")
    except OSError as error:
        raise SensordError(f"cannot write {error.filename}: {error.strerror}") from error
    return Made(path, [problem for problem in load(config.directory).problems if problem.flow == name])


def _require_rule(cron: str) -> None:
    """UsageError where no schedule could have it."""
    from sensord.core.cron_parse import parse_rule

    try:
        parse_rule(cron, seconds=False)
    except InvalidValue as error:
        raise UsageError(f"--cron: {error.message}", hint=error.hint) from error


def _inherited(config: Config, name: str, extends: str | None) -> set[str]:
    """The keys of [schedule] and [run] that it has from a template or from defaults.toml."""
    assert config.library is not None  # it was loaded from a folder
    stack = config.library.stack(name, extends)
    if stack.missing:
        raise NotFound(stack.missing[0], hint=stack.missing[1])
    return {key for layer in stack.layers for table in ("schedule", "run") for key in layer.data.get(table, {})}
