"""DAGs as values: their arguments, their tasks, and which comes after which."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False, slots=True)
class Task:
    """operator: its class, or `@task`, `@task.bash`. args: as written, over the DAG's default_args."""

    id: str
    line: int
    operator: str
    args: dict[str, Any]
    after: list["Task"] = field(default_factory=list)
    """The tasks that it comes after."""


@dataclass(eq=False, slots=True)
class Dag:
    """strange: (line, what) of all that stands in it and was not understood."""

    id: str
    file: str
    line: int
    args: dict[str, Any]
    tasks: list[Task] = field(default_factory=list)
    strange: list[tuple[int, str]] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Group:
    """A TaskGroup: its first tasks come after, its last ones before."""

    id: str
    tasks: list[Task] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class TaskFunction:
    """What a function decorated with @task is: called, it makes a task."""

    name: str
    decorator: str
    body: list[ast.stmt]


@dataclass(slots=True)
class DagFile:
    """strange: (line, what) of DAGs that are made in a way that is not followed."""

    dags: list[Dag] = field(default_factory=list)
    strange: list[tuple[int, str]] = field(default_factory=list)


def is_operator(name: str) -> bool:
    return name.endswith(("Operator", "Sensor", "ExternalTaskMarker"))


def connect(before: object, after: object) -> None:
    for task in tasks_of(after, last=False):
        task.after += [one for one in tasks_of(before, last=True) if one is not task and one not in task.after]


def tasks_of(value: object, *, last: bool) -> Iterator[Task]:
    """The tasks that an order of `value` speaks of: of a group the last ones, or the first."""
    match value:
        case Task():
            yield value
        case Group(tasks=tasks):
            if last:
                yield from (one for one in tasks if not any(one in other.after for other in tasks))
            else:
                yield from (one for one in tasks if not any(other in tasks for other in one.after))
        case list():
            for one in value:
                yield from tasks_of(one, last=last)
        case _:
            pass
