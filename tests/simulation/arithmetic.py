"""What a sensor lacks, and what ends its run: the rules once more, apart from the core's own and from the counters."""

from sensord.core.flow import Policy, Sensor
from sensord.core.needs import Need
from sensord.core.run import State

_ENDS = frozenset({Policy.FAIL, Policy.SKIP})


def missing(sensor: Sensor, need: int, states: list[State], *, problem: bool = False) -> int:
    """How many upstream runs a sensor still lacks."""
    if problem:
        return int(sensor.on_missing is not Policy.PROCEED)
    return max(0, need - sum(counts(sensor, state) for state in states))


def wanted(sensor: Sensor, mapped: int) -> int:
    """How many of its mapped runs a sensor wants."""
    return mapped if sensor.require == "all" else 1 if sensor.require == "any" else int(sensor.require)


def counts(sensor: Sensor, state: State) -> bool:
    match state:
        case _ if state in sensor.accept:
            return True
        case State.FAILED | State.CANCELLED:
            return sensor.on_failure is Policy.PROCEED
        case State.SKIPPED:
            return sensor.on_skipped is Policy.PROCEED
        case _:
            return False


def ending(need: Need, states: list[State]) -> str | None:
    """What the sensor's policies make of its run at once: "fail", "skip", or None to go on waiting."""
    sensor = need.sensor
    if need.problem:
        return sensor.on_missing.value if sensor.on_missing in _ENDS else None
    policies = {
        State.FAILED: sensor.on_failure,
        State.CANCELLED: sensor.on_failure,
        State.SKIPPED: sensor.on_skipped,
    }
    gone = [state for state in states if not counts(sensor, state) and policies.get(state) in _ENDS]
    if len(states) - len(gone) >= need.need:
        return None
    return min(policies[state].value for state in gone)
