"""What happens next to a run, or to a tick without one, in sentences for people."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sensord.cli.causes import Cause, CauseKind, ended_itself
from sensord.cli.explain import SensorView
from sensord.cli.foresight import Estimate
from sensord.cli.render import count, span_of
from sensord.core.flow import Flow as Definition
from sensord.core.flow import Policy
from sensord.core.instant import format_instant
from sensord.core.run import FINAL, Kind, Reason, State
from sensord.store.reads.consumers import Rerun
from sensord.store.reads.daemon import Ahead, Pool
from sensord.store.reads.flows import Flow
from sensord.store.reads.runs import Run
from sensord.store.timers import What

MOST = 3
"""Runs to rerun that are named; the others are counted."""

_BY_SENSORS = frozenset(
    {Reason.UPSTREAM_FAILED, Reason.UPSTREAM_SKIPPED, Reason.SENSOR_TIMEOUT, Reason.NO_MATCH, Reason.MAPPING_ERROR}
)
"""Why its sensors end a run."""

NO_DAEMON = "No daemon leads: nothing moves until `sensord daemon start`."


def outlook_of_run(
    flow: Flow,
    run: Run,
    causes: Sequence[Cause],
    ahead: Ahead | None,
    timers: Mapping[What, datetime],
    *,
    leads: bool,
    now: datetime,
) -> list[str]:
    """What has to happen for the run to go on."""
    asleep = [] if leads or run.state in FINAL else [NO_DAEMON]
    match run.state:
        case State.WAITING:
            return [*asleep, *_waiting(causes, now)]
        case State.QUEUED:
            return [*asleep, _queued(flow, ahead)]
        case State.STARTING:
            return [*asleep, f"Attempt {run.attempt} is being started."]
        case State.RUNNING:
            limit = timers.get(What.TIMEOUT)
            left = f", and its timeout comes in {span_of(limit - now)}" if limit else ""
            return [*asleep, f"Attempt {run.attempt} is under way, for {span_of(now - run.since_at)} now{left}."]
        case State.RETRYING:
            when = f" in {span_of(timers[What.RETRY] - now)}" if What.RETRY in timers else ""
            return [*asleep, f"Attempt {run.attempt} failed; the next one comes by itself{when}."]
        case _:
            return _over(run, causes)


def outlook_of_waiters(number: int) -> list[str]:
    """How many runs an ended one holds up."""
    return [f"{count(number, 'run')} {'waits' if number == 1 else 'wait'} for it."] if number else []


def is_mended(causes: Sequence[Cause]) -> bool:
    """Whether all that ended a run has succeeded since."""
    return bool(causes) and all(cause.now is State.SUCCESS for cause in causes)


def _over(run: Run, causes: Sequence[Cause]) -> list[str]:
    """What a person can do about a run that has ended."""
    name = f"{run.flow} {format_instant(run.logical_at)}"
    again = f"`sensord run rerun {name}`"
    match run.state:
        case State.FAILED | State.SKIPPED if causes or run.reason in _BY_SENSORS:
            if is_mended(causes):
                return [f"What ended it has succeeded since: {again} runs it after all."]
            if _stands_on_missed(run, causes):
                return [_fill(run)]
            return [f"It stays as it is, also when what it waited for is mended, until {again}."]
        case State.FAILED if run.reason == Reason.LOST:
            return [
                "Nobody knows whether its command did its work: see whether it did, then"
                f" `sensord run mark {name} success`, or {again}."
            ]
        case State.FAILED if ended_itself(run):
            return [f"It stays failed. See `sensord run logs {name}`, and once mended {again}."]
        case State.SKIPPED if run.reason == Reason.EXIT_CODE:
            return [f"Its command said that there was nothing to do. It stays skipped, until {again}."]
        case State.FAILED | State.SKIPPED | State.CANCELLED:
            return [f"It stays {run.state.label}, until {again}."]
        case _:
            return ["It is over."]


def _stands_on_missed(run: Run, causes: Sequence[Cause]) -> bool:
    """Whether a rerun would end as before, since ticks upstream have no run. A backfill runs no date off the ticks."""
    missed = [cause for cause in causes if cause.kind is CauseKind.SKIPPED and cause.run is None]
    return run.kind is not Kind.MANUAL and any(cause.flow != run.flow and cause.now is None for cause in missed)


def _fill(run: Run) -> str:
    date = format_instant(run.logical_at)
    options = f"--from {date} --to {date} --rerun {run.state.label} --upstream"
    return (
        "It stays as it is; what it waited for was missed, so that a rerun alone would end as before:"
        f" `sensord backfill {run.flow} {options}` runs that first, then it."
    )


def outlook_of_priority(run: Run, hurried: tuple[str, datetime] | None) -> list[str]:
    """Whose priority the run has, if not its flow's own."""
    if hurried is None:
        return []
    return [f"It has priority {run.priority}, that of {hurried[0]} {format_instant(hurried[1])}, which waits for it."]


def outlook_of_deadlines(sensors: Sequence[SensorView], now: datetime) -> list[str]:
    """What happens at the deadlines of a waiting run, the first of them first, up to the one that ends it."""
    sentences = []
    ahead = [(view.deadline_at, view.sensor) for view in sensors if view.deadline_at]
    for at, sensor in sorted(ahead, key=lambda one: (one[0], _SEVERITY.index(one[1].on_timeout))):
        when = f"by {format_instant(at)}, in {span_of(at - now)}" if at > now else "in time, which is over"
        whom = f"sensor {sensor.index} on {sensor.upstream}"
        if sensor.on_timeout is Policy.PROCEED:
            sentences.append(f"If {whom} is not satisfied {when}, it goes on without.")
            continue
        end = "fails" if sensor.on_timeout is Policy.FAIL else "is skipped"
        return [*sentences, f"If {whom} is not satisfied {when}, it {end}."]
    return sentences


def outlook_of_stale(run: Run, rerun: Sequence[Rerun], now: datetime) -> list[str]:
    """What a stale run stands on, and what mends it. rerun: its upstream runs that were rerun, as far as known."""
    if run.stale_at is None:
        return []
    name = f"{run.flow} {format_instant(run.logical_at)}"
    whom = "an upstream run that it had consumed"
    if rerun:
        first, others = rerun[0], f" (and {len(rerun) - 1:,} more)" if len(rerun) > 1 else ""
        whom = f"{first.flow} {format_instant(first.logical_at)}{others}, which it had consumed,"
    ago = span_of(now - run.stale_at)
    if run.state not in FINAL:
        return [f"It is stale: {whom} was rerun {ago} ago. It goes on with what it had."]
    unfinished = [one for one in rerun if one.state not in FINAL]
    when = f"once {'that has' if len(unfinished) == 1 else 'these have'} succeeded, " if unfinished else ""
    return [f"It is stale: {whom} was rerun {ago} ago; {when}`sensord run rerun {name}` runs it on the new result."]


def outlook_of_estimate(guess: Estimate | None) -> list[str]:
    """`As before, it would start about 02:07 ...`; nothing where no guess can be made."""
    if guess is None or not (guess.last or guess.finished_at):
        return []
    after = f", after {guess.last[0]} {format_instant(guess.last[1])}" if guess.last else ""
    done = f", and be done about {format_instant(guess.finished_at)}" if guess.finished_at else ""
    return [f"By its past runs it should start about {format_instant(guess.released_at)}{after}{done}."]


_SEVERITY = (Policy.FAIL, Policy.SKIP, Policy.PROCEED)


def outlook_of_missed(definition: Definition, tick: datetime, first_at: datetime | None) -> list[str]:
    """Why a tick was passed over, and how it is run after all. first_at: the first date that the flow ever planned."""
    name, catchup = definition.name, definition.catchup.value
    if first_at and tick < first_at:
        why = f"It lies before the first tick that the flow planned, {format_instant(first_at)}."
    elif definition.may_skip:
        limit = " with its catchup_limit" if definition.catchup_limit is not None else ""
        why = (
            f'A later one was due already, or the flow was paused: catchup = "{catchup}"{limit} says what is run then.'
        )
    else:
        why = "It was passed over when it was planned; the flow's catchup may have been another then."
    return [
        why,
        "For those that wait for it, it counts as skipped (missed).",
        f"`sensord run trigger {name} --date {format_instant(tick)}` runs it after all.",
    ]


def outlook_of_tick(flow: Flow, tick: datetime, state: str, *, leads: bool, now: datetime) -> list[str]:
    """What becomes of a tick that has no run; `state` is `late` or `not_due`."""
    asleep = [] if leads else [NO_DAEMON]
    if flow.label == "removed":
        return [*asleep, "The flow's file is gone: it plans nothing until that comes back."]
    if flow.label in ("paused", "retired"):
        return [*asleep, f"The flow is {flow.label}: it plans nothing."]
    if state == CauseKind.LATE:
        return [*asleep, f"It was due {span_of(now - tick)} ago; the daemon plans it next."]
    return [*asleep, f"It comes in {span_of(tick - now)}; until then there is no run."]


def _waiting(causes: Sequence[Cause], now: datetime) -> list[str]:
    """One sentence for each kind of cause, what a person must mend first."""
    if not causes:
        return ["More runs wait for each other than can be looked at here: ask about one of its upstream runs."]
    kinds = list(dict.fromkeys(cause.kind for cause in causes))
    sentences = [_sentence(kind, [cause for cause in causes if cause.kind is kind], now) for kind in kinds]
    if kinds == [CauseKind.CYCLE]:
        return sentences
    over = dict.fromkeys(f"{one.over.flow} {format_instant(one.over.logical_at)}" for one in causes if one.over)
    reruns = [f"{name} has ended meanwhile, and has to be rerun then: `sensord run rerun {name}`." for name in over]
    left = [f"So have {len(reruns) - MOST:,} more."] if len(reruns) > MOST else []
    return [*sentences, *reruns[:MOST], *left, "Then it goes on by itself."]


def _sentence(kind: CauseKind, causes: Sequence[Cause], now: datetime) -> str:
    first = causes[0]
    these = f"{first.flow} {format_instant(first.logical_at)}"
    if len(causes) > 1:
        these += f" and {len(causes) - 1:,} more"
    have = "has" if len(causes) == 1 else "have"
    if kind is CauseKind.SKIPPED and first.run is None:
        command = f"sensord run trigger {first.flow} --date {format_instant(first.logical_at)}"
        return f"{these} {have} to be run after all: `{command}`."
    match kind:
        case CauseKind.FAILED | CauseKind.CANCELLED | CauseKind.SKIPPED:
            return f"{these} {have} to succeed after all."
        case CauseKind.UNACCEPTED:
            return f"{these} {have} to end in another state, one that `accept` names."
        case CauseKind.NO_MATCH:
            return f"{these} {have} to be given a mapping that matches some upstream tick, in the flow's file."
        case CauseKind.CYCLE:
            return "Runs wait for each other in a circle: none of them can go on, until a flow's file is changed."
        case CauseKind.REMOVED:
            return f"{first.flow} has to get its file back, so that {these} can go on."
        case CauseKind.PAUSED:
            return f"{first.flow} has to be resumed, by `sensord flow resume {first.flow}`, so that {these} can go on."
        case CauseKind.RUNNING | CauseKind.QUEUED | CauseKind.UNFINISHED:
            return f"{these} {have} to succeed: now {kind.value}."
        case CauseKind.SETTLING:
            return f"The daemon has to release {these}, in its next turn."
        case CauseKind.LATE:
            return f"The daemon has to plan {these}: due already."
        case CauseKind.NOT_DUE:
            last = max(cause.logical_at for cause in causes)
            return f"{these} {have} to come, in {span_of(last - now)}, and to succeed."


def _queued(flow: Flow, ahead: Ahead | None) -> str:
    """Which limit a queued run stands behind."""
    if ahead is None:
        return "It starts when a slot is free."
    if ahead.is_held:
        return f"Its flow is {flow.label}: it starts when that is over."
    if ahead.paused:
        return f"Backfill {ahead.paused} is paused: it starts after `sensord backfill resume {ahead.paused}`."
    if ahead.active >= flow.max_active:
        names = ", ".join(format_instant(one.logical_at) for one in ahead.under_way)
        others = f" and {count(ahead.older, 'older queued run')}" if ahead.older else ""
        return f"Its flow runs at most {flow.max_active} at once: it comes after {names}{others}."
    if ahead.pool and ahead.pool.is_full:
        return _behind(ahead.pool, ahead.in_pool)
    return f"It starts when a slot is free: {count(ahead.slots, 'slot')} taken now."


def _behind(pool: Pool, in_pool: Sequence[Run]) -> str:
    """`It queues behind pool small: 2 of 2 in use, by mart/a 2026-11-22T02:00:00Z, mart/b 2026-11-22T02:00:00Z.`"""
    names = [f"{one.flow} {format_instant(one.logical_at)}" for one in in_pool]
    if pool.used > len(names):
        names.append(f"{pool.used - len(names)} more")
    return f"It queues behind pool {pool.name}: {pool.used} of {pool.slots} in use, by {', '.join(names)}."
