"""The config folder as a whole: its settings and all its flows. Whatever is wrong with one file leaves others alone."""

import os
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from sensord.config.files import FlowFile, find_files
from sensord.config.library import Library
from sensord.config.link import Refusal, link
from sensord.config.mapping_functions import load_function
from sensord.config.settings import Settings, load_settings
from sensord.config.shared import say_once
from sensord.config.source import Loaded, Source, read_source
from sensord.core.mapping import Loader
from sensord.core.schedule import Schedule
from sensord.errors import Problem

_NOTHING: Mapping[str, Schedule] = {}


@dataclass(frozen=True, slots=True)
class Config:
    """What a config folder says. flows: those without any error, by name. problems: all others', by place."""

    directory: Path
    settings: Settings
    flows: dict[str, Loaded]
    problems: list[Problem]
    closed: tuple[str, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict, repr=False)
    library: Library | None = field(default=None, repr=False)

    def holds(self, name: str) -> bool:
        """Whether the flow still has a file, however broken, or lies in a folder that could not be listed."""
        return name in self.sources or any(name.startswith(prefix) for prefix in self.closed)


def load(
    directory: Path,
    previous: Config | None = None,
    known: Mapping[str, Schedule] = _NOTHING,
    refuse_user: Callable[[str], Refusal | None] = lambda _: None,
    url: str | None = None,
) -> Config:
    """Read a config folder. Raises ConfigError only where nothing can start: its settings are wrong, or no `flows`.

    previous: an earlier load, of which unchanged files are taken over. known: the schedules of the flows of which a
    good definition is at work, so that others may go on to use them while their own file has errors. refuse_user: why a
    user whom `allowed_users` names cannot be had on this host; only the daemon can say. url: of the database in use,
    where that is not the one of sensord.toml.
    """
    settings = load_settings(directory, url)
    same = previous.sources if previous and previous.directory == directory else {}
    found = find_files(directory, {source.found.path: source.found for source in same.values()})
    importer = partial(load_function, allowed=settings.mapping_modules)
    reusable = _reusable(previous, directory, settings)
    library = Library(directory, found.defaults, previous.library if previous else None)
    sources = _refuse_twins(_read(found.files, reusable, importer, library))
    flows, problems = link(sources, known, importer, settings, refuse_user)
    problems += found.problems
    problems += [problem for source in sources.values() for problem in source.problems]
    problems = say_once(problems, sources)
    problems.sort(key=lambda one: (one.file or "", one.line or 0, one.column or 0))
    return Config(directory, settings, flows, problems, found.closed, sources, library)


def _read(
    files: list[FlowFile], reusable: Mapping[str, Source], importer: Loader, library: Library
) -> dict[str, Source]:
    sources: dict[str, Source] = {}
    for found in files:
        source = reusable.get(found.name)
        if (
            source is None
            or source.found is not found
            or source.layers != library.stack(found.name, source.extends).layers
        ):
            source = _read_one(found, importer, library)
        if source:
            sources[found.name] = source
    return sources


def _read_one(found: FlowFile, importer: Loader, library: Library) -> Source | None:
    """Whatever goes wrong with one file, be it by a fault of ours, must not take the other flows along."""
    try:
        return read_source(found, importer, library)
    except Exception as error:
        if os.environ.get("SENSORD_DEBUG"):
            raise
        message = f"internal error: {type(error).__name__}: {error}"
        hint = "a fault of sensord: SENSORD_DEBUG=1 sensord check shows where"
        return Source(found, problems=(Problem(message, hint, found.file, flow=found.name),))


def _reusable(previous: Config | None, directory: Path, settings: Settings) -> Mapping[str, Source]:
    """A file with errors is read again: what it needed (a right, a module) may be there now."""
    if not previous or previous.directory != directory:
        return {}
    if previous.settings.mapping_modules != settings.mapping_modules:
        return {}
    return {name: source for name, source in previous.sources.items() if not source.problems}


def _refuse_twins(sources: dict[str, Source]) -> dict[str, Source]:
    """Names that differ only in case are refused, all of them: nobody can tell which one was there first."""
    if len({name.lower() for name in sources}) == len(sources):
        return sources
    names: dict[str, list[str]] = defaultdict(list)
    for name in sources:
        names[name.lower()].append(name)
    twins = {name: same for same in names.values() if len(same) > 1 for name in same}
    return {name: _refuse_twin(source, twins[name]) if name in twins else source for name, source in sources.items()}


def _refuse_twin(source: Source, names: list[str]) -> Source:
    others = ", ".join(f'"{name}"' for name in names if name != source.name)
    problem = source.problem(f'expected a name that is unique without case, got "{source.name}" beside {others}')
    return replace(source, loaded=None, draft=None, problems=(problem, *source.problems))
