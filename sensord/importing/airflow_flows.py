"""Makes flows of a folder of DAGs, and notes what is not as it was: above all, how dates shift."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from sensord.errors import InvalidValue
from sensord.importing.airflow_commands import Context
from sensord.importing.airflow_dags import read_dags
from sensord.importing.airflow_model import Dag, Task
from sensord.importing.airflow_notes import tell
from sensord.importing.airflow_plan import Plan, lay_out
from sensord.importing.airflow_tasks import Bash, Gap, Step, Wait, read_task
from sensord.importing.airflow_times import read_times
from sensord.importing.airflow_waits import Found, find_wait
from sensord.importing.draft import Draft, Imported, Note
from sensord.importing.toml import Value

HORIZON = timedelta(days=731)
"""How far ahead the dates of sensors are tried."""


def import_airflow(
    files: Mapping[str, str], *, interval: bool, zone: ZoneInfo, now: datetime, folder: str = "", split: bool = False
) -> Imported:
    """files: the text of each, by its name. interval: whether a date there names the start of its interval."""
    importer = _Importer(interval, zone, now)
    for file, text in files.items():
        importer.read(file, text)
    importer.lay_out(folder, split=split)
    importer.close()
    return importer.found


class _Importer:
    def __init__(self, interval: bool, zone: ZoneInfo, now: datetime) -> None:
        self.interval = interval
        self.zone = zone
        self.now = now
        self.found = Imported()
        self.plans: dict[str, Plan] = {}
        self.contexts: dict[str, Context] = {}
        self.tried: dict[tuple[object, object, timedelta], Found] = {}

    def read(self, file: str, text: str) -> None:
        try:
            read = read_dags(text, file)
        except (SyntaxError, ValueError, RecursionError) as error:
            line, words = (error.lineno, error.msg) if isinstance(error, SyntaxError) else (None, str(error))
            self._note(file, line, "the file", f"it is no Python: {words.splitlines()[0]}", lost=True)
            return
        for line, what in read.strange:
            hint = "write it out, or make its flows by hand"
            self._note(file, line, what, "what it comes to is known only when the file is run", hint, lost=True)
        for dag in read.dags:
            self._take(dag)

    def _take(self, dag: Dag) -> None:
        if dag.id in self.plans:
            self._lose(dag, f"there is a DAG of this name already, in {self.plans[dag.id].dag.file}")
            return
        for line, what in dag.strange:
            self._note(dag.file, line, f"DAG {dag.id}", f"{what} is known only when it runs", lost=True)
        if dag.strange:
            return
        if not dag.tasks:
            self._lose(dag, "it has no tasks")
            return
        try:
            times = read_times(dag, interval=self.interval, zone=self.zone, now=self.now)
        except InvalidValue as error:
            self._lose(dag, error.message, error.hint)
            return
        for message, hint in times.remarks:
            self._note(dag.file, dag.line, f"DAG {dag.id}", message, hint)
        params = dag.args.get("params")
        context = Context(dag.id, times.interval, params if isinstance(params, dict) else {})
        self.contexts[dag.id] = context
        steps: dict[Task, Step] = {}
        for task in dag.tasks:
            steps[task], remarks = read_task(task, context)
            for remark in remarks:
                self._note(dag.file, task.line, f"DAG {dag.id}", remark)
        self.plans[dag.id] = Plan(dag, times, steps)

    def lay_out(self, folder: str, *, split: bool) -> None:
        """Names first: a wait needs those of other DAGs, and one for a DAG that is not here is a gap."""
        for plan in self.plans.values():
            plan.steps = {task: self._known(task, step) for task, step in plan.steps.items()}
        taken: list[str] = []
        for plan in self.plans.values():
            lay_out(plan, folder, taken, split=split)
            taken += plan.groups

    def _known(self, task: Task, step: Step) -> Step:
        if not isinstance(step, Wait):
            return step
        if step.dag_id not in self.plans:
            return Gap(f"{task.id}: the DAG {step.dag_id} is not among the flows that are made")
        others = {one.id for one in self.plans[step.dag_id].dag.tasks}
        if missing := [one for one in step.task_ids if one not in others]:
            return Gap(f"{task.id}: the DAG {step.dag_id} has no task {missing[0]}")
        return step

    def close(self) -> None:
        for plan in self.plans.values():
            for name, tasks in plan.groups.items():
                self.found.drafts.append(self._draft(plan, name, tasks))
            find = partial(self._find, plan)
            for line, message, hint, lost in tell(plan, self.plans, self.contexts[plan.dag.id], find, self.now):
                self._note(plan.dag.file, line, f"DAG {plan.dag.id}", message, hint, lost=lost)

    # Drafts

    def _draft(self, plan: Plan, name: str, tasks: Sequence[Task]) -> Draft:
        dag, context = plan.dag, self.contexts[plan.dag.id]
        leader, alone = next(iter(plan.groups)), len(plan.groups) > 1
        schedule = dict(plan.times.written)
        if name != leader:
            bounds = {key: value for key, value in schedule.items() if key in ("start", "end", "catchup")}
            schedule = {"follow": leader, **bounds}
        steps = [step for task in tasks if isinstance(step := plan.steps[task], Bash)]
        bash = steps[0] if steps else Bash("")
        text = "\n".join(_command(plan, tasks))
        run: dict[str, Value] = {"command": ["bash", "-c", text] if tasks else ["true"], **bash.run}
        if passed := sorted({name for step in steps for name in step.pass_env}):
            run["pass_env"] = passed
        active = dag.args.get("max_active_runs")
        if isinstance(active, int) and 1 <= active <= 1000:
            run["max_active"] = int(active)
        sensors = list(self._sensors(plan, name, tasks))
        used = {key: value for key, value in context.used.items() if f"params.{key} " in f"{text} {bash.env}"}
        return Draft(
            name,
            dag.file,
            dag.line,
            schedule,
            run,
            top=_top(dag),
            params=used,
            env=bash.env,
            sensors=sensors,
            comments=[f"from {dag.file}:{dag.line}: DAG {dag.id}{f', task {tasks[0].id}' if alone else ''}"],
        )

    def _sensors(self, plan: Plan, name: str, tasks: Sequence[Task]) -> Iterator[Mapping[str, Value]]:
        """Its own tasks' order first, then what it waits for elsewhere."""
        first = tasks[0] if tasks else None
        if first and len(plan.groups) > 1:
            skipped = {"on_skipped": "skip"} if "catchup" in plan.times.written else {}
            for before in plan.before(first):
                yield {"upstream": plan.flow_of(before), "match": "same", **skipped}
        if any(task.args.get("depends_on_past") is True for task in tasks):
            yield {"upstream": name, "back": 1}
        for task in plan.waits_before(first) if first else plan.waits:
            step = plan.steps[task]
            assert isinstance(step, Wait)
            other = self.plans[step.dag_id]
            found = self._find(plan, step)
            for upstream in other.flows_for(step.task_ids) or ():
                bounded = {"on_missing": "skip"} if other.times.is_bounded else {}
                yield {"upstream": upstream, **found.keys, **step.policies, **bounded}

    def _find(self, plan: Plan, step: Wait) -> Found:
        mine, other = plan.times, self.plans[step.dag_id].times
        key = (mine.key, other.key, step.delta)
        if key not in self.tried:
            self.tried[key] = find_wait(mine, other, step.delta, self.now, self.now + HORIZON)
        return self.tried[key]

    def _lose(self, dag: Dag, message: str, hint: str | None = None) -> None:
        self._note(dag.file, dag.line, f"DAG {dag.id}", message, hint, lost=True)

    def _note(
        self, file: str, line: int | None, subject: str, message: str, hint: str | None = None, *, lost: bool = False
    ) -> None:
        self.found.notes.append(Note(file, line, subject, message, hint, lost))


def _command(plan: Plan, tasks: Sequence[Task]) -> Iterator[str]:
    """What bash runs: one task's command as it is, or several, each by itself, until one fails."""
    if len(tasks) == 1:
        step = plan.steps[tasks[0]]
        assert isinstance(step, Bash | Gap)
        yield step.text
        return
    yield "set -e"
    for task in tasks:
        step = plan.steps[task]
        assert isinstance(step, Bash | Gap)
        yield from (f"# {' '.join(task.id.split())}", "(", "set +e", step.text, ")")


def _top(dag: Dag) -> dict[str, Value]:
    top: dict[str, Value] = {}
    description = dag.args.get("description") or dag.args.get("doc_md")
    if isinstance(description, str) and description.strip():
        top["description"] = " ".join(description.split())
    defaults = dag.args.get("default_args")
    owner = defaults.get("owner") if isinstance(defaults, dict) else None
    if isinstance(owner, str) and owner not in ("", "airflow"):
        top["owner"] = owner
    tags = dag.args.get("tags")
    if isinstance(tags, list) and (known := [one for one in tags if isinstance(one, str)]):
        top["tags"] = known
    return top
