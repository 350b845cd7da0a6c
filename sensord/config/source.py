"""One flow's file, read: the flow, or what is wrong with it; and what it says of other flows, for `link`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypedDict

from sensord.config.body import digest, schedule_digest, write_body
from sensord.config.build import build_flow
from sensord.config.document import Document, Path, Place
from sensord.config.files import FlowFile
from sensord.config.library import Layer, Library
from sensord.config.merge import RULES, Merged, Part, merge_files
from sensord.config.reading import read_file
from sensord.config.report import Report, spell
from sensord.config.shape import clean
from sensord.config.tables import FlowTable, RunTable, ScheduleTable
from sensord.core.flow import Flow
from sensord.core.mapping import Loader
from sensord.core.schedule import Schedule
from sensord.errors import Problem


@dataclass(frozen=True, slots=True)
class Loaded:
    """A flow and its definition as text.

    places: where the keys stand that others speak of: `sensors[0].upstream`, by the flow's own count of its sensors;
    and its `on_skipped`, if it is written.
    files: of these keys, those that stand in another file than the flow's, and in which.
    """

    flow: Flow
    file: str
    body: str
    digest: str
    schedule_digest: str
    places: Mapping[str, Place]
    files: Mapping[str, str] = field(default_factory=dict)


class Reference(NamedTuple):
    """The name of another flow, a pool, a user, an executor or a queue, as the value of `key`. home: the file that says
    so, and what it calls the key.
    """

    name: str
    key: str
    place: Place
    home: tuple[str | None, str]


@dataclass(frozen=True, slots=True)
class Draft:
    """A file that cannot become a flow before the one that it follows is known."""

    table: FlowTable
    document: Document | Merged


@dataclass(frozen=True, slots=True)
class Source:
    """One of `loaded`, `draft` and `problems`. Never changed: a later load takes it over where its files are the same.

    extends, layers: what its file builds on. extends_at: where it says so.
    """

    found: FlowFile
    loaded: Loaded | None = None
    draft: Draft | None = None
    problems: tuple[Problem, ...] = ()
    follow: Reference | None = None
    upstreams: tuple[Reference, ...] = ()
    pool: Reference | None = None
    user: Reference | None = None
    executor: Reference | None = None
    queue: Reference | None = None
    extends: str | None = None
    extends_at: Place | None = None
    layers: tuple[Layer, ...] = ()

    @property
    def name(self) -> str:
        return self.found.name

    def problem(self, message: str, hint: str | None = None, at: Reference | None = None) -> Problem:
        if at is None:
            return Problem(message, hint, self.found.file, flow=self.name)
        file, key = at.home
        return Problem(message, hint, file or self.found.file, *at.place, self.name, key)


def read_source(found: FlowFile, load: Loader, library: Library) -> Source | None:
    """None where the file is no longer there."""
    try:
        document = read_file(found, found.name)
    except FileNotFoundError:
        return None
    if isinstance(document, Problem):
        return Source(found, problems=(document,))
    return _build(found, document, load, library)


def _build(found: FlowFile, document: Document, load: Loader, library: Library) -> Source:
    report = Report(found.file, found.name, document)
    table, data = clean(FlowTable, report)
    stack = library.stack(found.name, table.extends)
    if stack.missing:
        report.at_value(("extends",), *stack.missing)
    if stack.layers:
        merged = merge(found.file, document, data, stack.layers)
        table, report = FlowTable.model_validate(merged.data), report.over(merged)
    references = _references(table, report.document)
    report.problems.extend(replace(problem, flow=found.name) for problem in stack.problems)
    # What an unusable file below would have said, nobody knows: the rest is judged when that is mended.
    judged = not stack.missing and not stack.problems
    flow = build_flow(found.name, table, report, load=load) if judged else None
    loaded = _load(found, flow, report.document, references["upstreams"]) if flow else None
    problems = tuple(report.problems)
    return Source(
        found,
        loaded=loaded,
        draft=None if loaded or problems else Draft(table, report.document),
        problems=problems,
        **references,
        extends=data.get("extends"),
        extends_at=document.value_place(("extends",)) if "extends" in data else None,
        layers=stack.layers,
    )


def merge(file: str, document: Document, data: dict[str, Any], layers: Sequence[Layer]) -> Merged:
    """The flow's own file over what it builds on, the lowest of which comes first."""
    below = [Part(one.file, one.document, one.data) for one in layers]
    return merge_files([*below, Part(file, document, data)])


def finish(source: Source, followed: Schedule, load: Loader) -> Loaded | tuple[Problem, ...]:
    """The flow of a draft, now that the schedule it follows is known."""
    assert source.draft is not None
    table, document = source.draft.table, source.draft.document
    report = Report(source.found.file, source.name, document)
    flow = build_flow(source.name, table, report, load=load, followed=followed)
    return _load(source.found, flow, document, source.upstreams) if flow else tuple(report.problems)


class _References(TypedDict):
    """The flow that it follows, those that its sensors watch, its pool, its user, its executor and queue."""

    follow: Reference | None
    upstreams: tuple[Reference, ...]
    pool: Reference | None
    user: Reference | None
    executor: Reference | None
    queue: Reference | None


def _references(table: FlowTable, document: Document | Merged) -> _References:
    def refer(name: str | None, path: Path) -> Reference | None:
        if name is None:
            return None
        file, local = document.home(path)
        return Reference(name, spell(path), document.value_place(path), (file, spell(local)))

    schedule, run = table.schedule or ScheduleTable(), table.run or RunTable()
    upstreams = [refer(one.upstream, ("sensors", at, "upstream")) for at, one in enumerate(table.sensors or ())]
    return {
        "follow": refer(schedule.follow, ("schedule", "follow")),
        "upstreams": tuple(filter(None, upstreams)),
        "pool": refer(run.pool, ("run", "pool")),
        "user": refer(run.user, ("run", "user")),
        "executor": refer(run.executor, ("run", "executor")),
        "queue": refer(run.queue, ("run", "queue")),
    }


def _load(found: FlowFile, flow: Flow, document: Document | Merged, upstreams: tuple[Reference, ...]) -> Loaded:
    body = write_body(flow)
    paths: list[Path] = [("schedule", rule) for rule in RULES if rule in document.data["schedule"]]
    sensors = enumerate(document.data.get("sensors", ()))
    paths += [("sensors", index, "on_skipped") for index, sensor in sensors if "on_skipped" in sensor]
    places = {one.key: one.place for one in upstreams} | {spell(path): document.value_place(path) for path in paths}
    homes = {one.key: one.home[0] for one in upstreams} | {spell(path): document.home(path)[0] for path in paths}
    files = {key: file for key, file in homes.items() if file is not None and file != found.file}
    return Loaded(flow, found.file, body, digest(body), schedule_digest(flow.schedule), places, files)
