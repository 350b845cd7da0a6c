"""Whether each run started only when its sensors let it, and ended without a start only where their policies say so."""

from collections.abc import Iterator

from sensord.core.instant import format_instant, from_micros
from sensord.core.run import Reason, State
from tests.chaos.evidence import Evidence, Key, Line, Run
from tests.chaos.warehouse import LEAF, Watch, mapped, spec_of

MICROS = 1_000_000
SUCCESS, FAILED, SKIPPED, CANCELLED = State.SUCCESS, State.FAILED, State.SKIPPED, State.CANCELLED


def audit_sensors(evidence: Evidence, starts: dict[Key, Line], ends: dict[Key, Line]) -> Iterator[str]:
    by_tick = {(run.flow, run.date): run for run in evidence.runs.values()}
    for run in evidence.runs.values():
        if run.reason == Reason.FLOW_RETIRED and run.flow.startswith(LEAF):
            continue  # its file was gone for longer than retire_after: nobody waited for its sensors any more
        name = f"{run.flow} {format_instant(from_micros(run.date))}"
        endings = set()
        for watch in spec_of(run.flow).watches:
            for upstream in _upstreams(evidence, run, watch, by_tick):
                endings.add(_ending(upstream, watch))
                start = starts.get((run.id, 1))
                if start and (upstream.finished_at is None or _over_at(evidence, ends, upstream) > start.at):
                    yield f"{name} began before {upstream.flow} {upstream.date // MICROS} had ended"
        endings.discard(None)
        if not endings and not run.attempt:
            yield f"{name}: {State(run.state).label} without a start, and its sensors are satisfied"
        if endings and (run.attempt or run.state not in endings):
            yield f"{name}: {State(run.state).label}, {run.attempt} attempts; expected one of {endings} without a start"


def _upstreams(evidence: Evidence, run: Run, watch: Watch, by_tick: dict[tuple[str, int], Run]) -> Iterator[Run]:
    name = watch.upstream
    for date in mapped(spec_of(run.flow), watch, run.date // MICROS, evidence.begin):
        if upstream := by_tick.get((name, date * MICROS)):
            yield upstream  # one that is not there is told with the ticks


def _ending(upstream: Run, watch: Watch) -> State | None:
    """What the sensor's policy makes of the run that waits, None where it goes on."""
    match State(upstream.state):
        case State.SUCCESS:
            return None
        case State.FAILED | State.CANCELLED:
            policy = watch.on_failure
        case _:
            policy = "proceed" if watch.match == "before" else watch.on_skipped
    return {"proceed": None, "fail": FAILED, "skip": SKIPPED}[policy]


def _over_at(evidence: Evidence, ends: dict[Key, Line], upstream: Run) -> int:
    """When its last command wrote that it was over; where it did not, when the store says so."""
    key = (upstream.id, upstream.attempt)
    line, outcome = ends.get(key), evidence.outcomes.get(key)
    return line.at if line else outcome.at if outcome else upstream.finished_at or 0
