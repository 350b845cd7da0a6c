"""One flow's file, read: the flow, or what is wrong with it; and what it says of other flows, for `link`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sensord.config.body import digest, schedule_digest, write_body
from sensord.config.build import build_flow
from sensord.config.document import Document, Fault, Path, Place, read_document
from sensord.config.files import FlowFile, read_text
from sensord.config.report import Report, spell
from sensord.config.shape import read_shape
from sensord.config.tables import FlowTable
from sensord.core.flow import Flow
from sensord.core.mapping import Loader
from sensord.core.schedule import Schedule
from sensord.errors import Problem


@dataclass(frozen=True, slots=True)
class Loaded:
    """A flow and its definition as text. places: where the keys stand that others speak of: `sensors[0].upstream`."""

    flow: Flow
    file: str
    body: str
    digest: str
    schedule_digest: str
    places: Mapping[str, Place]


class Reference(NamedTuple):
    """The name of another flow, as the value of `key`."""

    flow: str
    key: str
    place: Place


@dataclass(frozen=True, slots=True)
class Draft:
    """A file that cannot become a flow before the one that it follows is known."""

    table: FlowTable
    document: Document


@dataclass(frozen=True, slots=True)
class Source:
    """One of `loaded`, `draft` and `problems`. Never changed: a later load takes it over where its file is the same."""

    found: FlowFile
    loaded: Loaded | None = None
    draft: Draft | None = None
    problems: tuple[Problem, ...] = ()
    follow: Reference | None = None
    upstreams: tuple[Reference, ...] = ()

    @property
    def name(self) -> str:
        return self.found.name

    def problem(self, message: str, hint: str | None = None, at: Reference | None = None) -> Problem:
        line, column = at.place if at else (None, None)
        return Problem(message, hint, self.found.file, line, column, self.name, at.key if at else None)


def read_source(found: FlowFile, load: Loader) -> Source | None:
    """None where the file is no longer there."""
    if found.fault:
        return Source(found, problems=(Problem(found.fault, file=found.file, flow=found.name),))
    try:
        document = read_document(read_text(found.path))
    except Fault as fault:
        line, column = fault.place or (None, None)
        problem = Problem(fault.message, fault.hint, found.file, line, column, found.name)
        return Source(found, problems=(problem,))
    except FileNotFoundError:
        return None
    except OSError as error:
        message = f"expected a file that can be read, got: {error.strerror}"
        return Source(found, problems=(Problem(message, file=found.file, flow=found.name),))
    report = Report(found.file, found.name, document)
    table = read_shape(FlowTable, report)
    follow, upstreams = _references(table, document)
    flow = build_flow(found.name, table, report, load=load)
    if report.problems:
        return Source(found, problems=tuple(report.problems), follow=follow, upstreams=upstreams)
    if flow is None:
        return Source(found, draft=Draft(table, document), follow=follow, upstreams=upstreams)
    return Source(found, loaded=_load(found, flow, document, upstreams), follow=follow, upstreams=upstreams)


def finish(source: Source, followed: Schedule, load: Loader) -> Loaded | tuple[Problem, ...]:
    """The flow of a draft, now that the schedule it follows is known."""
    assert source.draft is not None
    table, document = source.draft.table, source.draft.document
    report = Report(source.found.file, source.name, document)
    flow = build_flow(source.name, table, report, load=load, followed=followed)
    return _load(source.found, flow, document, source.upstreams) if flow else tuple(report.problems)


def _references(table: FlowTable, document: Document) -> tuple[Reference | None, tuple[Reference, ...]]:
    def refer(name: str, path: Path) -> Reference:
        return Reference(name, spell(path), document.value_place(path))

    follow = table.schedule.follow if table.schedule else None
    upstreams = [(index, one.upstream) for index, one in enumerate(table.sensors or ()) if one.upstream is not None]
    return (
        refer(follow, ("schedule", "follow")) if follow is not None else None,
        tuple(refer(name, ("sensors", index, "upstream")) for index, name in upstreams),
    )


def _load(found: FlowFile, flow: Flow, document: Document, upstreams: tuple[Reference, ...]) -> Loaded:
    body = write_body(flow)
    places = {one.key: one.place for one in upstreams}
    for kind in ("cron", "every", "follow"):
        if kind in document.data["schedule"]:
            places[f"schedule.{kind}"] = document.value_place(("schedule", kind))
    return Loaded(flow, found.file, body, digest(body), schedule_digest(flow.schedule), places)
