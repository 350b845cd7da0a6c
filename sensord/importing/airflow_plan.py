"""How a DAG's tasks become flows: one for all of them, where they are a chain, or one for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sensord.importing.airflow_model import Dag, Task
from sensord.importing.airflow_tasks import Bash, Gap, Step, Wait
from sensord.importing.airflow_times import Times
from sensord.importing.naming import flow_part, unique


@dataclass(eq=False, slots=True)
class Plan:
    """steps: of each task. groups: the tasks of each flow, in order, by its name."""

    dag: Dag
    times: Times
    steps: Mapping[Task, Step]
    groups: dict[str, list[Task]] = field(default_factory=dict)
    idle: list[Task] = field(default_factory=list)
    """Waits that nothing comes after."""

    @property
    def work(self) -> list[Task]:
        """The tasks that do something, in the file's order."""
        return [task for task in self.dag.tasks if isinstance(self.steps[task], Bash | Gap)]

    @property
    def waits(self) -> list[Task]:
        return [task for task in self.dag.tasks if isinstance(self.steps[task], Wait)]

    def flow_of(self, task: Task) -> str:
        return next(name for name, tasks in self.groups.items() if task in tasks)

    def before(self, task: Task) -> list[Task]:
        """The tasks that do something right before it, past those that do nothing."""
        return [one for one in self._behind(task) if one in self.work]

    def waits_before(self, task: Task) -> list[Task]:
        """The waits between it and the tasks that do something before it."""
        return [one for one in self._behind(task) if isinstance(self.steps[one], Wait)]

    def _behind(self, task: Task) -> list[Task]:
        """Backwards from a task to the next ones that do something, and all on the way there."""
        found: list[Task] = []
        ahead = list(task.after)
        while ahead:
            one = ahead.pop(0)
            if one not in found:
                found.append(one)
                if not isinstance(self.steps[one], Bash | Gap):
                    ahead += one.after
        return found

    def ends(self) -> list[Task]:
        """The tasks that do something, and after which none does."""
        followed = [one for task in self.work for one in self.before(task)]
        return [task for task in self.work if task not in followed]

    def flows_for(self, task_ids: Sequence[str]) -> list[str] | None:
        """The flows to wait for, for these tasks or for the whole DAG; None where there is no such task."""
        known = {task.id: task for task in self.dag.tasks}
        if not all(one in known for one in task_ids):
            return None
        tasks = self.ends()
        if task_ids:
            named = [known[one] for one in task_ids]
            tasks = [one for task in named for one in ([task] if task in self.work else self.before(task))]
        names = [self.flow_of(task) for task in tasks] or list(self.groups)[:1]
        return list(dict.fromkeys(names))


def lay_out(plan: Plan, folder: str, taken: Sequence[str], *, split: bool) -> None:
    """Fill in its groups. split: one flow for each task, also where one for all would do."""
    base = unique(folder + flow_part(plan.dag.id), taken)
    chain = None if split and len(plan.work) > 1 else find_chain(plan)
    needed = [one for task in plan.work for one in plan.waits_before(task)]
    plan.idle = [task for task in plan.waits if task not in needed and plan.work]
    if chain is not None:
        plan.groups[base] = chain
        return
    for task in plan.work:
        plan.groups[unique(f"{base}/{flow_part(task.id)}", [*taken, *plan.groups])] = [task]


def find_chain(plan: Plan) -> list[Task] | None:
    """Its tasks in order, where each comes after the one before, all waits come first, and all are run alike."""
    order: list[Task] = []
    left = plan.work
    while left:
        ready = [task for task in left if not any(one in left for one in plan.before(task))]
        if len(ready) != 1 or (order and order[-1] not in plan.before(ready[0])):
            return None
        order.append(ready[0])
        left = [task for task in left if task is not ready[0]]
    if any(plan.waits_before(task) for task in order[1:] if not set(plan.waits_before(task)) <= _first(plan, order)):
        return None
    return order if len(order) < 2 or _alike(plan, order) else None


def _first(plan: Plan, order: Sequence[Task]) -> set[Task]:
    return set(plan.waits_before(order[0]))


def _alike(plan: Plan, order: Sequence[Task]) -> bool:
    """Whether one command can stand for all: the same variables and folder, the same retries, and no time limits."""
    steps = [step for task in order if isinstance(step := plan.steps[task], Bash)]
    same = all((step.run, step.env) == (steps[0].run, steps[0].env) for step in steps)
    return same and not any("timeout" in step.run for step in steps)
