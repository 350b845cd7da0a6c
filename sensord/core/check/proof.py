"""The proof behind `sensord check`: every sensor of every flow finds its ticks on every tick, and no run waits for
itself. Over a horizon, by enumeration of the ticks that are unlike others (rhythm says which); pairs of schedules that
many sensors share are worked out once.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from sensord.core.check.circles import make_case
from sensord.core.check.deadlocks import find_deadlocks
from sensord.core.check.faults import Fault, find_faults
from sensord.core.check.finding import Finding, FindingKind, Severity
from sensord.core.check.study import Case, Study
from sensord.core.check.subject import CheckedFlow, CheckedSensor

_SKIPS = 'on_skipped = "proceed" runs all the same; writing on_skipped = "skip" says that it is meant'


def prove(flows: Iterable[CheckedFlow], since: datetime, until: datetime, *, thorough: bool = False) -> list[Finding]:
    """All findings over the horizon, both ends included (aware, UTC), in order of flow and sensor; errors first.

    Of several flows of one name the last counts. A schedule is taken as if it had always held. thorough: look at every
    tick, also where others are just like it; the findings are the same.
    """
    named = {flow.name: flow for flow in flows}
    study = Study(since, until, thorough=thorough)
    found = [*_find_unknown(named), *_find_faults(named, study), *_find_skipped(named), *find_deadlocks(named, study)]
    return sorted(found, key=_order)


def _order(finding: Finding) -> tuple[str, int, bool, str]:
    index = -1 if finding.sensor_index is None else finding.sensor_index
    return finding.flow, index, finding.severity is Severity.WARNING, finding.kind


def _sensors(flows: dict[str, CheckedFlow]) -> Iterator[tuple[CheckedFlow, CheckedSensor]]:
    return ((flow, sensor) for flow in flows.values() for sensor in flow.sensors)


def _find_unknown(flows: dict[str, CheckedFlow]) -> Iterator[Finding]:
    for flow, sensor in _sensors(flows):
        if sensor.upstream not in flows:
            says = f"expected a flow to wait for, got {sensor.upstream}, which is none"
            yield Finding(Severity.ERROR, FindingKind.UNKNOWN_FLOW, flow.name, sensor.index, says)


def _find_faults(flows: dict[str, CheckedFlow], study: Study) -> Iterator[Finding]:
    """By pairs of schedules: the ticks of one downstream are in hand while all its upstreams are looked at."""
    alike: dict[Case, list[tuple[CheckedFlow, CheckedSensor]]] = {}
    for flow, sensor in _sensors(flows):
        if upstream := flows.get(sensor.upstream):
            case = replace(
                make_case(flow, sensor, upstream), timeout=sensor.timeout, misses_settled=sensor.misses_settled
            )
            alike.setdefault(case, []).append((flow, sensor))
    numbers: dict[object, int] = {}
    for case in alike:
        numbers.setdefault(case.downstream, len(numbers))
        numbers.setdefault(case.upstream, len(numbers))
    for case in sorted(alike, key=lambda case: (numbers[case.downstream], numbers[case.upstream])):
        for fault in find_faults(case, study):
            yield from (_name(fault, flow, sensor) for flow, sensor in alike[case])


def _name(fault: Fault, flow: CheckedFlow, sensor: CheckedSensor) -> Finding:
    return Finding(
        fault.severity,
        fault.kind,
        flow.name,
        sensor.index,
        f"the sensor on {sensor.upstream} {fault.message}",
        fault.counter_example,
        fault.count,
        fault.suggestion,
    )


def _find_skipped(flows: dict[str, CheckedFlow]) -> Iterator[Finding]:
    for flow, sensor in _sensors(flows):
        upstream = flows.get(sensor.upstream)
        own = sensor.upstream == flow.name  # accepts skipped runs
        if upstream and upstream.may_skip and sensor.require == "all" and not own and not sensor.skips_settled:
            says = (
                f"the sensor on {sensor.upstream} needs all its ticks, of which that flow's catchup may skip some: "
                "such a run is skipped with them"
            )
            yield Finding(
                Severity.WARNING, FindingKind.SKIPPED_UPSTREAM, flow.name, sensor.index, says, suggestion=_SKIPS
            )
