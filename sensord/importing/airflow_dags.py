"""Reads DAGs out of a Python file by its syntax tree: what they are made with, their tasks, and who comes after whom.

Loops over lists that are written out are followed. What is made by a function, or under a condition, is told, not read.
"""

import ast
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from sensord.importing.airflow_model import Dag, DagFile, Group, Task, TaskFunction, connect, is_operator, tasks_of
from sensord.importing.airflow_values import Opaque, Scope, evaluate, full_name, keywords_of

_MOST = 1000
"""Turns of a loop that are followed."""


def read_dags(text: str, file: str) -> DagFile:
    """SyntaxError or ValueError where it is no Python."""
    reader = _Reader(file)
    reader.run(ast.parse(text).body)
    return reader.found


class _Reader:
    """`dags`, `groups`: those whose `with` we are in, the innermost last."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found = DagFile()
        self.scope = Scope(self._call, self._shift, self._attribute)
        self.dags: list[Dag] = []
        self.groups: list[Group] = []

    def run(self, body: Iterable[ast.stmt]) -> None:
        for statement in body:
            self._run_one(statement)

    def _run_one(self, node: ast.stmt) -> None:
        match node:
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                module = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
                for name in names:
                    self.scope.imports[name.asname or name.name.partition(".")[0]] = f"{module}{name.name}"
            case ast.Assign(targets=targets, value=value):
                self._assign(targets, evaluate(value, self.scope))
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assign([target], evaluate(value, self.scope))
            case ast.Expr(value=value):
                evaluate(value, self.scope)
            case ast.With(items=items, body=body):
                self._run_with(items, body)
            case ast.For(target=target, iter=values, body=body):
                self._run_for(node, target, evaluate(values, self.scope), body)
            case ast.Try(body=body, orelse=other, finalbody=final):
                self.run([*body, *other, *final])
            case ast.FunctionDef():
                self._define(node)
            case ast.If() | ast.While():
                self._pass_over(node, "under a condition")
            case _:
                pass

    def _assign(self, targets: list[ast.expr], value: object) -> None:
        for target in targets:
            if isinstance(target, ast.Name):
                self.scope.names[target.id] = value
            elif isinstance(target, ast.Tuple) and isinstance(value, list) and len(value) == len(target.elts):
                for one, part in zip(target.elts, value, strict=True):
                    self._assign([one], part)

    def _run_with(self, items: list[ast.withitem], body: list[ast.stmt]) -> None:
        entered: list[Any] = []
        for item in items:
            value = evaluate(item.context_expr, self.scope)
            if isinstance(value, Dag):
                self.dags.append(value)
            elif isinstance(value, Group):
                self.groups.append(value)
            entered.append(value)
            if item.optional_vars is not None:
                self._assign([item.optional_vars], value)
        self.run(body)
        for value in entered:
            if isinstance(value, Dag):
                self.dags.pop()
            elif isinstance(value, Group):
                self.groups.pop()

    def _run_for(self, node: ast.For, target: ast.expr, values: object, body: list[ast.stmt]) -> None:
        values = list(values) if isinstance(values, dict) else values
        if not isinstance(values, list) or len(values) > _MOST:
            self._pass_over(node, f"in a loop over {ast.unparse(node.iter)}")
            return
        for value in values:
            self._assign([target], value)
            self.run(body)

    def _define(self, node: ast.FunctionDef) -> None:
        for decorator in node.decorator_list:
            call = decorator if isinstance(decorator, ast.Call) else ast.Call(decorator, [], [])
            name = full_name(call.func, self.scope)
            last = name.rpartition(".")[2]
            if last == "dag":
                self._run_dag_function(node, ast.copy_location(call, node))
                return
            if last == "task" or ".task." in f".{name}":
                kind = "@task.bash" if last == "bash" else "@task"
                given = keywords_of(call, self.scope).get("task_id", node.name)
                self.scope.names[node.name] = TaskFunction(str(given), kind, node.body)
                return
        self._pass_over(node, f"by the function {node.name}")

    def _run_dag_function(self, node: ast.FunctionDef, call: ast.Call) -> None:
        made = self._make_dag(call, node.name)
        if isinstance(made, Dag):
            names, self.scope.names = self.scope.names, dict(self.scope.names)
            self.dags.append(made)
            self.run(node.body)
            self.dags.pop()
            self.scope.names = names

    def _pass_over(self, node: ast.stmt, how: str) -> None:
        """What is made there is not known; nothing to say where nothing is."""
        if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test):
            return
        for inner in ast.walk(node):
            if isinstance(inner, ast.Call):
                last = full_name(inner.func, self.scope).rpartition(".")[2]
                if last == "DAG":
                    self.found.strange.append((inner.lineno, f"a DAG made {how}"))
                elif is_operator(last) and self.dags:
                    self.dags[-1].strange.append((inner.lineno, f"{last} {how}"))
            if (
                isinstance(inner, ast.Name)
                and isinstance(inner.ctx, ast.Store)
                and not isinstance(node, ast.FunctionDef)
            ):
                self.scope.names[inner.id] = Opaque(inner.id)

    # Calls and `>>`

    def _call(self, node: ast.Call, name: str) -> object:
        last = name.rpartition(".")[2]
        if last == "DAG":
            return self._make_dag(node, None)
        if last == "TaskGroup":
            given = [*(evaluate(one, self.scope) for one in node.args), keywords_of(node, self.scope).get("group_id")]
            return Group(f"{self._prefix()}{given[0]}")
        if last == "chain":
            for before, after in pairwise(evaluate(one, self.scope) for one in node.args):
                lists = isinstance(before, list) and isinstance(after, list)
                for one, other in zip(before, after, strict=False) if lists else [(before, after)]:
                    connect(one, other)
            return None
        if last == "cross_downstream":
            connect(*(evaluate(one, self.scope) for one in node.args[:2]))
            return None
        if isinstance(node.func, ast.Attribute):
            return self._call_method(node, node.func)
        function = evaluate(node.func, self.scope) if isinstance(node.func, ast.Name | ast.Call) else None
        if isinstance(function, TaskFunction):
            return self._make_call(node, function)
        return self._make_task(node, last) if self._makes_task(node, last) else Opaque(ast.unparse(node))

    def _attribute(self, node: ast.Attribute) -> object:
        match evaluate(node.value, self.scope), node.attr:
            case Dag(id=name), "dag_id":
                return name
            case Task(id=name), "task_id":
                return name
            case Task() as task, "output":
                return task
            case _:
                return Opaque(ast.unparse(node))

    def _call_method(self, node: ast.Call, method: ast.Attribute) -> object:
        target = evaluate(method.value, self.scope)
        if method.attr in ("set_downstream", "set_upstream") and node.args:
            other = evaluate(node.args[0], self.scope)
            connect(*((target, other) if method.attr == "set_downstream" else (other, target)))
            return None
        if isinstance(target, TaskFunction) and method.attr == "override":
            given = keywords_of(node, self.scope).get("task_id", target.name)
            return TaskFunction(str(given), target.decorator, target.body)
        if isinstance(target, TaskFunction) or method.attr in ("expand", "expand_kwargs"):
            line = node.lineno
            if self.dags:
                self.dags[-1].strange.append((line, f"tasks that are known only when it runs: .{method.attr}(...)"))
            return Opaque(ast.unparse(node))
        last = method.attr
        return self._make_task(node, last) if self._makes_task(node, last) else Opaque(ast.unparse(node))

    def _makes_task(self, node: ast.Call, last: str) -> bool:
        return is_operator(last) or any(keyword.arg == "task_id" for keyword in node.keywords)

    def _make_dag(self, node: ast.Call, name: str | None) -> object:
        args = keywords_of(node, self.scope)
        given = [evaluate(one, self.scope) for one in node.args[:1]]
        dag_id = given[0] if given else args.get("dag_id", name)
        if not isinstance(dag_id, str):
            self.found.strange.append((node.lineno, f"a DAG whose id is known only when it runs: {_shown(dag_id)}"))
            dag_id = ""
        dag = Dag(dag_id, self.file, node.lineno, args)
        if dag_id:
            self.found.dags.append(dag)
        return dag

    def _make_task(self, node: ast.Call, operator: str) -> Task | Opaque:
        args = keywords_of(node, self.scope)
        dag = args.pop("dag", None)
        dag = dag if isinstance(dag, Dag) else self.dags[-1] if self.dags else None
        if dag is None:
            return Opaque(ast.unparse(node))
        return self._add(dag, args.get("task_id"), node, operator, args)

    def _make_call(self, node: ast.Call, function: TaskFunction) -> Task | Opaque:
        """A task of a decorated function; it comes after those whose results it takes."""
        taken = [evaluate(one, self.scope) for one in node.args] + list(keywords_of(node, self.scope).values())
        if not self.dags:
            return Opaque(ast.unparse(node))
        same = sum(task.id.partition("__")[0] == function.name for task in self.dags[-1].tasks)
        task_id = f"{function.name}__{same}" if same else function.name
        args: dict[str, Any] = {}
        match function.body:
            case [*_, ast.Return(value=ast.Constant(value=str(command)))] if function.decorator == "@task.bash":
                args["bash_command"] = command
        task = self._add(self.dags[-1], task_id, node, function.decorator, args)
        for one in taken:
            connect(one, task)
        return task

    def _add(self, dag: Dag, task_id: object, node: ast.Call, operator: str, args: dict[str, Any]) -> Task:
        defaults = dag.args.get("default_args")
        merged = (defaults if isinstance(defaults, dict) else {}) | args
        if not isinstance(task_id, str):
            dag.strange.append((node.lineno, f"a task whose id is known only when it runs: {_shown(task_id)}"))
        task = Task(f"{self._prefix()}{_shown(task_id)}", node.lineno, operator, merged)
        dag.tasks.append(task)
        for group in self.groups:
            group.tasks.append(task)
        return task

    def _prefix(self) -> str:
        return f"{self.groups[-1].id}." if self.groups else ""

    def _shift(self, node: ast.BinOp) -> object:
        left, right = evaluate(node.left, self.scope), evaluate(node.right, self.scope)
        connect(*((left, right) if isinstance(node.op, ast.RShift) else (right, left)))
        if self.dags and not (list(tasks_of(left, last=True)) and list(tasks_of(right, last=False))):
            self.dags[-1].strange.append((node.lineno, f"an order of tasks that are not known: {ast.unparse(node)}"))
        return right


def _shown(value: object) -> str:
    return value.text if isinstance(value, Opaque) else str(value)
