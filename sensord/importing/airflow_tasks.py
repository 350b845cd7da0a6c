"""What a task of a DAG becomes: a command, a wait, nothing, or a gap, where the flow is to fail rather than go on."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sensord.core.template import escape_text
from sensord.importing.airflow_commands import Context, Unmapped, map_command
from sensord.importing.airflow_model import Task
from sensord.importing.airflow_values import Opaque
from sensord.importing.airflow_waits import span
from sensord.importing.toml import Value

_EMPTY = frozenset({"EmptyOperator", "DummyOperator", "ExternalTaskMarker"})
_BASH = frozenset({"BashOperator", "@task.bash"})
_VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_GIVEN = frozenset({"PATH", "HOME", "LANG"})
_SKIP_CODE = 99
_RETRY_DELAY = timedelta(minutes=5)
_RULES = ("all_success", "none_failed", "none_failed_min_one_success")
_WEEK = timedelta(days=7)

NOTED = frozenset(
    {"on_failure_callback", "on_success_callback", "on_retry_callback", "on_execute_callback", "sla", "pool"}
    | {"priority_weight", "queue", "run_as_user", "email", "resources", "executor", "wait_for_downstream"}
    | {"dagrun_timeout", "retry_exponential_backoff", "max_active_tis_per_dag", "task_concurrency"}
)
"""Arguments that change how something runs, and have no like here, or none that is exactly the same."""


@dataclass(frozen=True, slots=True)
class Bash:
    """text: in our templates. run, env: keys of [run] and [run.env]. pass_env: variables that it has from elsewhere."""

    text: str
    run: Mapping[str, Value] = field(default_factory=dict)
    env: Mapping[str, Value] = field(default_factory=dict)
    pass_env: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wait:
    """An ExternalTaskSensor. task_ids: none for the whole DAG. policies: keys of [[sensors]] besides the mapping."""

    dag_id: str
    task_ids: tuple[str, ...]
    delta: timedelta
    policies: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Empty:
    pass


@dataclass(frozen=True, slots=True)
class Gap:
    """What is not carried over, and why."""

    why: str
    hint: str | None = None

    @property
    def text(self) -> str:
        return f"echo {escape_text(shlex.quote(f'not carried over: {self.why}'))} >&2; exit 1"


Step = Bash | Wait | Empty | Gap


def read_task(task: Task, context: Context) -> tuple[Step, list[str]]:
    """What it becomes, and remarks on what differs."""
    if task.operator in _BASH:
        return _read_bash(task, context)
    if task.operator == "ExternalTaskSensor":
        return _read_wait(task)
    if task.operator in _EMPTY:
        return Empty(), []
    return Gap(f"{task.id} ({task.operator})", "put what it does into a command, in place of the line that fails"), []


def _read_bash(task: Task, context: Context) -> tuple[Step, list[str]]:
    command = task.args.get("bash_command", Opaque("its command"))
    if not isinstance(command, str):
        return Gap(f"{task.id}: what it runs is known only when it runs: {_shown(command)}"), []
    if command.endswith((".sh", ".bash")):
        return Gap(f"{task.id}: its command is a template file, {command}", "write the script's path and a blank"), []
    env = task.args.get("env") or {}
    cwd = task.args.get("cwd")
    if not isinstance(env, dict) or not all(isinstance(one, str) for one in (*env, *env.values())):
        return Gap(f"{task.id}: its env is known only when it runs"), []
    if not isinstance(cwd, str | None):
        return Gap(f"{task.id}: its folder is known only when it runs: {_shown(cwd)}"), []
    try:
        text = str(map_command(command, task.id, context))
        variables = {name: str(map_command(value, task.id, context)) for name, value in env.items()}
    except Unmapped as error:
        return Gap(f"{task.id}: {{{{ {error} }}}} has no like here", "give it by [params] or [run.env]"), []
    if bad := [name for name in variables if not _NAME.fullmatch(name) or name.upper().startswith("SENSORD_")]:
        return Gap(f"{task.id}: {bad[0]!r} is no name of a variable"), []
    run, remarks = _read_limits(task)
    if cwd:
        run["cwd"] = cwd
    inherits = task.args.get("append_env") is True or not env
    seen = set(_VARIABLE.findall(command)) - _GIVEN - set(env) - _assigned(command) if inherits else set()
    return Bash(text, run, variables, tuple(sorted(seen))), remarks


def _assigned(command: str) -> set[str]:
    """Names that the command sets itself, and those that are given to it in any case."""
    own = set(re.findall(r"\b([A-Za-z_][A-Za-z0-9_]*)=", command)) | set(re.findall(r"\bfor\s+(\w+)\s+in", command))
    return own | set(re.findall(r"\bread\s+(?:-r\s+)?(\w+)", command)) | {"_"} | _ours(command)


def _ours(command: str) -> set[str]:
    return {name for name in _VARIABLE.findall(command) if name.upper().startswith("SENSORD_")}


def _read_limits(task: Task) -> tuple[dict[str, Value], list[str]]:
    run: dict[str, Value] = {}
    remarks = []
    args = task.args
    retries, delay, timeout = args.get("retries", 0), args.get("retry_delay"), args.get("execution_timeout")
    if isinstance(retries, int) and 0 < retries <= 1000:
        run["retries"] = int(retries)
        delay = timedelta(seconds=delay) if isinstance(delay, int | float) else delay
        delay = delay if isinstance(delay, timedelta) else _RETRY_DELAY
        run["retry_delay"] = span(max(delay, timedelta(seconds=1)))
    elif retries not in (0, None):
        remarks.append(f"{task.id}: retries = {_shown(retries)} is not known")
    if isinstance(timeout, timedelta):
        run["timeout"] = span(max(timeout, timedelta(seconds=1)))
    elif timeout is not None:
        remarks.append(f"{task.id}: execution_timeout = {_shown(timeout)} is not known")
    rule = str(getattr(args.get("trigger_rule"), "text", args.get("trigger_rule", "all_success")))
    if rule.rpartition(".")[2].lower() not in _RULES:
        remarks.append(f"{task.id}: trigger_rule {rule} is not kept: it runs when what it comes after has succeeded")
    if args.get("skip_on_exit_code", _SKIP_CODE) != _SKIP_CODE:
        remarks.append(f"{task.id}: skip_on_exit_code is {_SKIP_CODE} here, always")
    return run, remarks


def _read_wait(task: Task) -> tuple[Step, list[str]]:
    args = task.args
    if args.get("execution_date_fn") is not None:
        hint = "docs/mapping.md has what such functions mostly are; write it as a [[sensors]] table"
        return Gap(f"{task.id}: which dates execution_date_fn gives is known only when it runs", hint), []
    dag_id, delta = args.get("external_dag_id"), args.get("execution_delta") or timedelta()
    names = args.get("external_task_ids") or args.get("external_task_id") or []
    names = names if isinstance(names, list) else [names]
    known = isinstance(dag_id, str) and all(isinstance(one, str) and "{{" not in one for one in (dag_id, *names))
    if not known or not isinstance(delta, timedelta) or delta.microseconds:
        return Gap(f"{task.id}: what it waits for is known only when it runs"), []
    remarks = []
    if args.get("external_task_group_id"):
        remarks.append(f"{task.id}: it waits for the whole of {dag_id}, not for a group of its tasks")
    policies = _read_policies(task, remarks)
    if policies is None:
        return Gap(f"{task.id}: no state that it allows is a final one here"), []
    return Wait(str(dag_id), tuple(map(str, names)), delta, policies), remarks


def _read_policies(task: Task, remarks: list[str]) -> dict[str, Value] | None:
    """None where nothing that it takes is ever there."""
    args, policies = task.args, dict[str, Value]()
    soft = args.get("soft_fail") is True
    allowed = _states(args.get("allowed_states")) or ["success"]
    accept = [state for state in ("success", "failed", "skipped") if state in allowed]
    if not accept:
        return None
    if len(accept) < len(allowed):
        remarks.append(f"{task.id}: of the states {', '.join(allowed)} those that are final are taken")
    if accept != ["success"]:
        policies["accept"] = accept
    failed, ends = _states(args.get("failed_states")), "skip" if soft else "fail"
    if {"failed", "upstream_failed"} & set(failed):
        policies["on_failure"] = ends
    if "skipped" not in accept:
        skips = "skip" if "skipped" in _states(args.get("skipped_states")) else "wait"
        policies["on_skipped"] = ends if "skipped" in failed else skips
    timeout = args.get("timeout", _WEEK)
    timeout = timedelta(seconds=timeout) if isinstance(timeout, int | float) else timeout
    if not isinstance(timeout, timedelta):
        remarks.append(f"{task.id}: timeout = {_shown(timeout)} is not known: it is a week, as Airflow has it")
        timeout = _WEEK
    policies["timeout"] = span(max(timeout, timedelta(seconds=1)))
    if soft:
        policies["on_timeout"] = "skip"
    return policies


def _states(value: object) -> list[str]:
    """`["success"]` of `["success"]`, and of `[State.SUCCESS]`."""
    values = value if isinstance(value, list) else []
    return [_shown(one).rpartition(".")[2].lower() for one in values]


def _shown(value: Any) -> str:
    return value.text if isinstance(value, Opaque) else str(value)
