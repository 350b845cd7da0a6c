"""The books against what the commands themselves wrote. Returns what is wrong, in words; nothing where nothing is."""

from collections import Counter
from collections.abc import Iterator

from sensord.core.instant import format_instant, from_micros
from sensord.core.run import Reason, State
from tests.chaos.blows import Kind
from tests.chaos.evidence import Attempt, Evidence, Key, Line, Outcome
from tests.chaos.policies import audit_sensors
from tests.chaos.warehouse import FLOWS, LEAF, SKIPPED, end_of, spec_of

SLACK = 2_000_000
"""Microseconds: a keeper that is killed is noted a moment before or after; a keeper that follows takes its time."""


def audit(evidence: Evidence) -> list[str]:
    starts = {(line.run_id, line.attempt): line for line in evidence.lines if line.code is None}
    ends = {(line.run_id, line.attempt): line for line in evidence.lines if line.code is not None}
    return [
        *_twice(evidence),
        *_strangers(evidence, starts),
        *_ends(evidence, starts, ends),
        *_tries(evidence),
        *_ticks(evidence),
        *audit_sensors(evidence, starts, ends),
        *_falls(evidence),
        *evidence.complaints,
    ]


def _twice(evidence: Evidence) -> Iterator[str]:
    """No attempt's command began or ended twice."""
    seen = Counter((line.run_id, line.attempt, line.code is None) for line in evidence.lines)
    for (run_id, attempt, is_start), number in seen.items():
        if number > 1:
            yield f"run {run_id} attempt {attempt}: {number} lines of its {'start' if is_start else 'end'}"


def _strangers(evidence: Evidence, starts: dict[Key, Line]) -> Iterator[str]:
    """What ran is an attempt of the store's, with the flow and logical date that the store has."""
    known = {(one.run_id, one.number) for one in evidence.attempts if one.run_id in evidence.runs}
    for line in evidence.lines:
        key = (line.run_id, line.attempt)
        if key not in known:
            yield f"run {line.run_id} attempt {line.attempt} ran, and the store has no such attempt"
        elif key not in starts:
            yield f"run {line.run_id} attempt {line.attempt} ended, and never began"
    for key in starts.keys() & known:
        line, run = starts[key], evidence.runs[key[0]]
        if (line.flow, line.date) != (run.flow, format_instant(from_micros(run.date))):
            yield f"run {run.id} ran as {line.flow} {line.date}, and is {run.flow} {run.date} in the store"


def _ends(evidence: Evidence, starts: dict[Key, Line], ends: dict[Key, Line]) -> Iterator[str]:
    """Each attempt has an outcome, and it is the true one."""
    for attempt in evidence.attempts:
        key = (attempt.run_id, attempt.number)
        outcome = evidence.outcomes.get(key)
        if outcome is None:
            yield f"run {key[0]} attempt {key[1]}: no outcome"
        elif wrong := _judge(evidence, attempt, outcome, starts.get(key), ends.get(key)):
            yield f"run {key[0]} attempt {key[1]}: {wrong}; {outcome}"
    for key in evidence.outcomes.keys() - {(one.run_id, one.number) for one in evidence.attempts}:
        yield f"run {key[0]} attempt {key[1]}: an outcome of no attempt"


def _judge(evidence: Evidence, attempt: Attempt, outcome: Outcome, start: Line | None, end: Line | None) -> str | None:
    code, number = end_of(attempt.run_id, attempt.number)
    match outcome:
        case Outcome(problem="lost"):
            return None if _lost_its_keeper(evidence, attempt, outcome) else "lost, though no keeper was killed"
        case Outcome(problem=str()):
            return "not started, though nothing stood in its way"
        case Outcome(signal=15):
            is_slow = spec_of(evidence.runs[attempt.run_id].flow).timeout is not None
            return None if is_slow and attempt.stopping == Reason.TIMED_OUT else "ended by a signal of nobody's"
        case Outcome(signal=int()):
            return None if outcome.signal == number and start and not end else f"expected its end to be {code, number}"
        case Outcome(exit_code=int(told)):
            if start is None or end is None:
                return "the store knows its exit code, and the command has not written both of its lines"
            return None if told == end.code == code else f"expected {code}, and it wrote {end.code}"
        case _:
            return "an outcome that says nothing"


def _lost_its_keeper(evidence: Evidence, attempt: Attempt, outcome: Outcome) -> bool:
    """Whether a keeper was killed while it had this attempt, so that nobody may know how it ended."""
    return any(
        attempt.submitted_at - SLACK <= span.begin_at <= outcome.at + SLACK
        for span in evidence.spans
        if span.kind == Kind.KILL_KEEPER
    )


def _tries(evidence: Evidence) -> Iterator[str]:
    """A run was tried as often as its flow's retries ask for, and has the state that its last attempt gives it."""
    attempts: dict[int, list[Attempt]] = {}
    for one in evidence.attempts:
        attempts.setdefault(one.run_id, []).append(one)
    for run in evidence.runs.values():
        tried = attempts.get(run.id, [])
        if [one.number for one in tried] != list(range(1, run.attempt + 1)):
            yield f"run {run.id}: {run.attempt} attempts, and rows of {[one.number for one in tried]}"
            continue
        states = [_state(one, evidence.outcomes.get((one.run_id, one.number))) for one in tried]
        allowed = spec_of(run.flow).retries + 1
        wanted = next((n for n, state in enumerate(states, 1) if state != State.FAILED), allowed)
        is_retired = run.reason == Reason.FLOW_RETIRED
        if tried and len(tried) != wanted and not is_retired:
            yield f"run {run.id}: tried {len(tried)} times, expected {wanted}: {[state.label for state in states]}"
        if tried and run.state != states[-1] and not is_retired:
            yield f"run {run.id}: {State(run.state).label}, and its last attempt says {states[-1].label}"


def _state(attempt: Attempt, outcome: Outcome | None) -> State:
    if outcome is None or outcome.exit_code is None or attempt.stopping == Reason.TIMED_OUT:
        return State.FAILED
    return {0: State.SUCCESS, SKIPPED: State.SKIPPED}.get(outcome.exit_code, State.FAILED)


def _ticks(evidence: Evidence) -> Iterator[str]:
    """Each tick has one run, and each run is of a tick. Of a name that LEAF had for a while: of all from its first to
    its last."""
    dates: dict[str, list[int]] = {spec.name: [] for spec in FLOWS}
    for run in evidence.runs.values():
        dates.setdefault(run.flow, []).append(run.date)
    for name, found in dates.items():
        period = spec_of(name).period
        begin = -(-evidence.begin // period) * period
        expected = list(range(begin, evidence.end + 1, period))
        if name != LEAF and name.startswith(LEAF):
            expected = [one for one in expected if min(found) <= one * 1_000_000 <= max(found)]
        got = Counter(found)
        for date in expected:
            if got.pop(date * 1_000_000, 0) != 1:
                yield f"{name} {format_instant(from_micros(date * 1_000_000))}: expected one run"
        for date in got:
            yield f"{name} {format_instant(from_micros(date))}: a run of no tick"


def _falls(evidence: Evidence) -> Iterator[str]:
    """A daemon ends by itself only where it cannot begin: its database was away, or sensord.toml wrong, in its life.

    It may have been stopped between seeing that and its end.
    """
    for fall in evidence.falls:
        excuses = [
            span
            for span in evidence.spans
            if span.kind in (Kind.DATABASE_AWAY, Kind.BREAK_SETTINGS)
            and span.begin_at - SLACK <= fall.at
            and fall.born_at <= (span.end_at or fall.at) + SLACK
        ]
        if not excuses:
            yield f"a daemon ended by itself with {fall.code} at {format_instant(from_micros(fall.at))}"
