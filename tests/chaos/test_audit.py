"""The audit finds what it is there to find: each fault, put into books that are right."""

from collections.abc import Callable
from typing import Any

import pytest

from sensord.core.instant import format_instant, from_micros
from sensord.core.run import Reason, State
from tests.chaos.audit import audit
from tests.chaos.blows import Kind, draw
from tests.chaos.evidence import Attempt, Evidence, Fall, Outcome, Run, Span, parse_line
from tests.chaos.figures import figures, handovers
from tests.chaos.warehouse import FLOWS, end_of

BEGIN = 1_800_000_000
MICROS = 1_000_000
LATER = {"src": 0, "mart": 40, "leaf": 40, "end": 80}
"""Seconds: all of the sources is over before the marts begin."""


@pytest.fixture
def books() -> Evidence:
    """Twenty seconds of all flows in which every first attempt ended well."""
    evidence = Evidence("", [], begin=BEGIN, end=BEGIN + 20)
    good = (number for number in range(1, 10_000) if end_of(number, 1) == (0, None))
    for spec in FLOWS:
        for date in range(BEGIN, BEGIN + 21, spec.period):
            note(evidence, next(good), spec.name, date)
    return evidence


def note(evidence: Evidence, run_id: int, flow: str, date: int) -> None:
    at = (date + LATER[flow.partition("/")[0]]) * MICROS
    evidence.runs[run_id] = Run(run_id, flow, date * MICROS, State.SUCCESS, None, 1, at + 900_000)
    evidence.attempts.append(Attempt(run_id, 1, at, None))
    evidence.outcomes[run_id, 1] = Outcome(run_id, 1, at + 800_000, 0, None, None)
    stamp = format_instant(from_micros(date * MICROS))
    evidence.lines.append(parse_line(f"start {run_id} 1 {at + 100_000}000 {flow} {stamp}"))
    evidence.lines.append(parse_line(f"end {run_id} 1 {at + 700_000}000 0"))


def first(evidence: Evidence, flow: str) -> Run:
    return next(run for run in evidence.runs.values() if run.flow == flow)


def change(evidence: Evidence, name: str, /, **values: Any) -> None:
    run = first(evidence, name)
    evidence.runs[run.id] = run._replace(**values)


def tell(evidence: Evidence, flow: str, /, **values: Any) -> None:
    key = (first(evidence, flow).id, 1)
    evidence.outcomes[key] = evidence.outcomes[key]._replace(**values)


def leave_out(evidence: Evidence, flow: str, *, start: bool) -> None:
    run_id = first(evidence, flow).id
    evidence.lines = [one for one in evidence.lines if one.run_id != run_id or (one.code is None) != start]


def without_attempt(evidence: Evidence, flow: str, state: State) -> None:
    """The run ended in `state` and was never tried."""
    run = first(evidence, flow)
    change(evidence, flow, state=state, attempt=0)
    evidence.attempts = [one for one in evidence.attempts if one.run_id != run.id]
    evidence.lines = [one for one in evidence.lines if one.run_id != run.id]
    del evidence.outcomes[run.id, 1]


def again(evidence: Evidence, flow: str) -> None:
    run = first(evidence, flow)
    evidence.attempts.append(Attempt(run.id, 2, run.date, None))
    evidence.outcomes[run.id, 2] = evidence.outcomes[run.id, 1]._replace(attempt=2)
    change(evidence, flow, attempt=2)


def doubled(evidence: Evidence) -> None:
    evidence.lines.append(evidence.lines[0])


def early(evidence: Evidence) -> None:
    run = first(evidence, "mart/e")
    evidence.lines = [
        one._replace(at=BEGIN * MICROS) if one.run_id == run.id and one.code is None else one for one in evidence.lines
    ]


FAULTS: dict[str, tuple[Callable[[Evidence], object], str]] = {
    "a command that ran twice": (doubled, "2 lines of its start"),
    "a command that the store does not know": (lambda e: e.attempts.pop(0), "the store has no such attempt"),
    "a run that ran as another": (lambda e: change(e, "src/a", flow="src/c"), "ran as src/a"),
    "an attempt without an outcome": (lambda e: e.outcomes.pop((first(e, "src/a").id, 1)), "no outcome"),
    "an outcome of nothing": (lambda e: e.attempts.pop(), "an outcome of no attempt"),
    "another exit code": (lambda e: tell(e, "src/a", exit_code=3), "expected 0, and it wrote 0"),
    "an end without a line": (lambda e: leave_out(e, "src/a", start=False), "not written both"),
    "a start without a line": (lambda e: leave_out(e, "src/a", start=True), "ended, and never began"),
    "a signal of nobody's": (lambda e: tell(e, "src/a", exit_code=None, signal=15), "a signal of nobody's"),
    "lost without a reason": (lambda e: tell(e, "src/a", exit_code=None, problem="lost"), "no keeper was killed"),
    "not started": (lambda e: tell(e, "src/a", exit_code=None, problem="not_started"), "nothing stood in its way"),
    "tried after it had succeeded": (lambda e: again(e, "src/a"), "tried 2 times, expected 1"),
    "a state of its own": (lambda e: change(e, "src/a", state=State.FAILED), "its last attempt says success"),
    "a tick without a run": (lambda e: e.runs.pop(first(e, "end/f").id), "expected one run"),
    "a run without a tick": (lambda e: change(e, "src/b", date=(BEGIN + 1) * MICROS), "a run of no tick"),
    "a start before its upstream's end": (early, "mart/e .* began before src/"),
    "never started": (lambda e: without_attempt(e, "mart/d", State.SKIPPED), "its sensors are satisfied"),
    "started against its policy": (lambda e: without_attempt(e, "mart/e", State.FAILED), "end/f .* expected one of"),
    "a daemon that fell": (lambda e: e.falls.append(Fall(BEGIN * MICROS, BEGIN * MICROS, 1)), "ended by itself with 1"),
    "a traceback": (lambda e: e.complaints.append("Traceback"), "Traceback"),
}


def test_right_books_are_right(books: Evidence) -> None:
    assert audit(books) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_it_finds(books: Evidence, fault: str) -> None:
    commit, words = FAULTS[fault]

    commit(books)
    found = audit(books)

    assert any(_matches(words, one) for one in found), found


def _matches(words: str, line: str) -> bool:
    head, _, tail = words.partition(" .* ")
    return head in line and tail in line


def test_what_is_lost_with_its_keeper_is_lost_legitimately(books: Evidence) -> None:
    run = first(books, "leaf/g")
    tell(books, "leaf/g", exit_code=None, problem="lost")
    leave_out(books, "leaf/g", start=False)
    change(books, "leaf/g", state=State.FAILED)

    at = run.date + LATER["leaf"] * MICROS
    books.spans.append(Span(Kind.KILL_KEEPER, at, at, "daemon0"))

    assert audit(books) == []


def test_what_was_cancelled_with_its_renamed_flow_needs_no_start(books: Evidence) -> None:
    without_attempt(books, "leaf/g", State.CANCELLED)
    change(books, "leaf/g", reason=Reason.FLOW_RETIRED)

    assert audit(books) == []


def test_a_daemon_may_not_find_its_database(books: Evidence) -> None:
    books.falls.append(Fall(BEGIN * MICROS, (BEGIN + 60) * MICROS, 1))
    books.spans.append(Span(Kind.DATABASE_AWAY, (BEGIN - 5) * MICROS, (BEGIN + 5) * MICROS, ""))

    assert audit(books) == []


def test_a_hand_over_is_timed_from_the_blow_on_the_leader(books: Evidence) -> None:
    books.leads = [(BEGIN * MICROS, "daemon0"), ((BEGIN + 12) * MICROS, "daemon1")]
    books.spans = [Span(Kind.STOP_DAEMON, (BEGIN + 10) * MICROS, (BEGIN + 15) * MICROS, "daemon0")]

    assert list(handovers(books)) == [2.0]
    assert "| hand-overs timed: median, longest | 1: 2.00 s, 2.00 s |" in figures(books)


def test_a_blow_on_another_than_the_leader_is_no_hand_over(books: Evidence) -> None:
    books.leads = [(BEGIN * MICROS, "daemon0"), ((BEGIN + 12) * MICROS, "daemon1")]
    books.spans = [Span(Kind.KILL_DAEMON, (BEGIN + 10) * MICROS, (BEGIN + 10) * MICROS, "daemon1")]

    assert list(handovers(books)) == []


def test_a_seed_gives_the_same_blows_again() -> None:
    assert draw(3, 30, 0.8) == draw(3, 30, 0.8)
    assert draw(3, 30, 0.8) != draw(4, 30, 0.8)
    assert {blow.kind for blow in draw(3, 30, 0.8)} == set(Kind)


def test_a_line_is_read_whole_or_refused() -> None:
    with pytest.raises(ValueError, match="expected a line of a command"):
        parse_line("start 1 1 17")
