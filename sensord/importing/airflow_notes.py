"""What a person should know of a DAG that became flows: how dates shift, what hangs there, and what is missing here."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from sensord.importing.airflow_commands import Context
from sensord.importing.airflow_model import Task
from sensord.importing.airflow_plan import Plan
from sensord.importing.airflow_tasks import NOTED, Gap, Wait
from sensord.importing.airflow_values import Opaque
from sensord.importing.airflow_waits import Found, span
from sensord.importing.draft import moment

Said = tuple[int, str, str | None, bool]
"""Its line, a message, a hint, and whether something is lost."""

_STOPS = "the flow fails there: put something in its place"
_MEANT = "what is mostly meant is the last run at or before its own date: take out what is behind upstream"


def tell(
    plan: Plan, plans: Mapping[str, Plan], context: Context, find: Callable[[Wait], Found], now: datetime
) -> Iterator[Said]:
    for task, step in plan.steps.items():
        if isinstance(step, Gap):
            yield task.line, step.why, step.hint or _STOPS, True
        elif isinstance(step, Wait):
            for message, hint in _tell_wait(plan, plans[step.dag_id], step, find(step)):
                yield task.line, f"{task.id}: {message}", hint, False
    for task in plan.idle:
        yield task.line, f"{task.id}: nothing comes after it, so nothing waits for it", None, False
    line = plan.dag.line
    yield from ((line, message, hint, False) for message, hint in _tell_tasks(plan))
    if plan.times.interval and (tick := plan.times.schedule.next(now)):
        there = moment(plan.times.theirs(tick))
        yield line, f"the run that is {there} there is {moment(tick)} here, the end of its interval", None, False
    if context.bare:
        message = f"{', '.join(sorted(context.bare))}: written with a T; where Airflow has pendulum 3, with a blank"
        yield line, message, "see what the command does with it", False
    if ignored := sorted(_keys(plan.dag.args, plan.dag.tasks) & NOTED):
        yield line, f"not taken over: {', '.join(ignored)}", None, False
    if isinstance(defaults := plan.dag.args.get("default_args"), Opaque):
        yield line, f"its default_args are known only when it runs: {defaults.text}", None, False


def _tell_tasks(plan: Plan) -> Iterator[tuple[str, str | None]]:
    if len(plan.groups) > 1:
        yield f"its tasks are {len(plan.groups)} flows, which follow {next(iter(plan.groups))}", None
    elif len(plan.work) > 1:
        order = ", ".join(task.id for task in next(iter(plan.groups.values())))
        yield f"its tasks {order} are one command", "a retry begins with the first; --split makes a flow of each"


def _tell_wait(plan: Plan, other: Plan, step: Wait, found: Found) -> Iterator[tuple[str, str | None]]:
    written = ", ".join(f"{key} = {value}" for key, value in found.keys.items()) or "match = latest"
    if step.task_ids and len(other.groups) == 1 and len(other.work) > 1:
        yield f"it waits for the whole of {step.dag_id}, whose tasks are one command", None
    if other.times.is_bounded:
        yield f"where {step.dag_id} has no run yet, or none any more, it would hang there; here it is skipped", None
    if found.hangs:
        at, count = found.hangs
        there = moment(plan.times.theirs(at) - step.delta)
        message = (
            f"on {count:,} of {found.tried:,} dates it would wait for ever there: {step.dag_id} has no run of {there}, "
            f"which it looks for on {moment(at)}; here it takes the last one before ({written})"
        )
        yield message, _MEANT if found.keys else None
    if found.differs:
        message = f"no mapping takes the same runs on all dates: {written} takes another on {moment(found.differs)}"
        yield message, "write the sensor by hand: docs/mapping.md tells how"
    elif not found.hangs and found.keys.get("offset", "0s") != span(-step.delta):
        yield f"its delta of {step.delta} is {written} here, where a date is the end of an interval", None


def _keys(args: Mapping[str, object], tasks: list[Task]) -> set[str]:
    defaults = args.get("default_args")
    known = set(defaults) if isinstance(defaults, dict) else set()
    return {*args, *known, *(key for task in tasks for key in task.args)}
