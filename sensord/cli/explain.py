"""How each sensor of a run stands: its verdict, and the reason for it in a word and in a sentence. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sensord.cli.causes import CauseKind, kind_of
from sensord.core.flow import Flow, Sensor
from sensord.core.run import FINAL, Reason, State
from sensord.core.sensor import Standing, Verdict
from sensord.store.reads.waits import Gate, Upstream

BROKEN = frozenset({State.FAILED, State.CANCELLED})


@dataclass(frozen=True, slots=True)
class SensorView:
    """One sensor of a run, with all upstream runs that it maps to, by logical date.

    deadline_at: when it stops waiting, by its `on_timeout`; None where it waits without end, or not at all.
    """

    standing: Standing
    upstreams: tuple[Upstream, ...]
    reason: str | None
    words: str
    deadline_at: datetime | None

    @property
    def sensor(self) -> Sensor:
        return self.standing.sensor


def view_sensors(
    flow: Flow,
    upstreams: Iterable[Upstream],
    gates: Iterable[Gate],
    deadlines: Mapping[int, datetime],
    now: datetime,
) -> list[SensorView]:
    """Each sensor of the flow, as it stands for one run. `deadlines` are those that it was given, by its index."""
    by_sensor: dict[int, list[Upstream]] = defaultdict(list)
    for upstream in upstreams:
        by_sensor[upstream.sensor].append(upstream)
    by_index = {gate.sensor: gate for gate in gates}
    return [
        _view(sensor, by_sensor[sensor.index], by_index.get(sensor.index), deadlines.get(sensor.index), now)
        for sensor in flow.sensors
    ]


def _view(
    sensor: Sensor, upstreams: Sequence[Upstream], gate: Gate | None, due_at: datetime | None, now: datetime
) -> SensorView:
    tally: dict[State, int] = defaultdict(int)
    for one in upstreams:
        tally[one.state] += 1
    need = gate.need if gate else len(upstreams)
    words, timed_out = (gate.problem, bool(gate.timed_out)) if gate else (None, False)
    problem = Reason.NO_MATCH if words else None
    standing = Standing(sensor, 0 if problem else need, tally, problem, words, timed_out)
    reason = _reason(standing, upstreams, now)
    waits = standing.verdict is not Verdict.SATISFIED and sensor.timeout is not None
    return SensorView(
        standing, tuple(upstreams), reason, _sentence(standing, upstreams, now), due_at if waits else None
    )


def _reason(standing: Standing, upstreams: Sequence[Upstream], now: datetime) -> str | None:
    """The verdict's reason in one word; None for satisfied, unless that is so since the deadline has passed."""
    verdict = standing.verdict
    if standing.timed_out:
        return "timed_out"
    if verdict is Verdict.SATISFIED:
        return None
    if standing.problem:
        return standing.problem.value
    missing = [one for one in upstreams if not one.counts]
    if verdict in (Verdict.BLOCKED, Verdict.IMPOSSIBLE):
        states = {one.state for one in missing}
        if states & BROKEN:
            return Reason.UPSTREAM_FAILED.value
        return Reason.UPSTREAM_SKIPPED.value if State.SKIPPED in states else "upstream_unaccepted"
    kinds = {kind_of(one, now) for one in missing if one.state not in FINAL}
    held = next((kind for kind in (CauseKind.REMOVED, CauseKind.PAUSED) if kind in kinds), None)
    if held:
        return f"upstream_{held.value}"
    return "not_due" if kinds <= {CauseKind.NOT_DUE} else "upstream_unfinished"


def _sentence(standing: Standing, upstreams: Sequence[Upstream], now: datetime) -> str:
    """How many of the upstream runs are done, and what has become of the others."""
    if standing.timed_out:
        return f"went on at its deadline, whatever comes: {_progress(standing, upstreams, now)}"
    return _progress(standing, upstreams, now)


def _progress(standing: Standing, upstreams: Sequence[Upstream], now: datetime) -> str:
    if standing.problem:
        return standing.words or "the mapping finds nothing"
    if not upstreams:
        return "nothing to wait for"
    others: dict[str, int] = defaultdict(int)
    for one in upstreams:
        if not one.counts:
            others[_label(one, now)] += 1
    done = f"{standing.counted} of {len(upstreams)} done"
    some = standing.need != len(upstreams) and not standing.timed_out
    wanted = f", {standing.need} needed" if some else ""
    rest = ", ".join(f"{number} {label}" for label, number in others.items())
    return f"{done}{wanted}" + (f": {rest}" if rest else "")


def _label(one: Upstream, now: datetime) -> str:
    if one.run is None and one.state is State.SKIPPED:
        return "missed"
    return kind_of(one, now).value.replace("_", " ") if one.state is State.ABSENT else one.state.label
