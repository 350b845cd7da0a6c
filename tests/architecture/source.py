"""A Python file of the checkout as a value: its path, lines, syntax tree, and what it imports, by full name."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Import:
    """`name` in full is what is imported; `here` is the name that it is bound to, and `bound` what that stands for."""

    line: int
    name: str
    here: str
    bound: str


@dataclass(frozen=True, slots=True)
class Source:
    """`path` is relative to the checkout: `sensord/core/run.py`."""

    path: str
    text: str
    tree: ast.Module = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tree", ast.parse(self.text, self.path))

    @property
    def module(self) -> str:
        """`sensord.core.run`; for a package's `__init__.py` the package."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def package(self) -> str:
        """What a relative import starts from."""
        return self.module if self.path.endswith("/__init__.py") else self.module.rpartition(".")[0]

    def imports(self) -> Iterator[Import]:
        """All that is imported, wherever: also in functions and under TYPE_CHECKING."""
        for node in ast.walk(self.tree):
            match node:
                case ast.Import(names=names, lineno=line):
                    for name in names:
                        first = name.name.partition(".")[0]
                        yield Import(line, name.name, name.asname or first, name.name if name.asname else first)
                case ast.ImportFrom(module=module, names=names, level=level, lineno=line):
                    base = self._base(module, level)
                    for name in names:
                        full = f"{base}.{name.name}"
                        yield Import(line, full, name.asname or name.name, full)
                case _:
                    pass

    def _base(self, module: str | None, level: int) -> str:
        if level == 0:
            return module or ""
        package = self.package.split(".")
        return ".".join([*package[: len(package) - level + 1], *filter(None, [module])])

    def names(self) -> Iterator[tuple[int, str]]:
        """(line, full name) of every imported name that is used: after `import datetime as d`, `d.date` in full."""
        known = {each.here: each.bound for each in self.imports()}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute | ast.Name):
                first, *rest = _dotted(node) or [""]
                if first in known:
                    yield node.lineno, ".".join([known[first], *rest])


def _dotted(node: ast.expr) -> list[str]:
    """`["a", "b"]` of the expression `a.b`; empty where it does not start with a name."""
    match node:
        case ast.Name(id=name):
            return [name]
        case ast.Attribute(value=value, attr=attr) if before := _dotted(value):
            return [*before, attr]
        case _:
            return []


def read(*folders: str) -> list[Source]:
    """Every Python file in these folders of the checkout."""
    paths = sorted(path for folder in folders for path in (CHECKOUT / folder).rglob("*.py"))
    return [Source(path.relative_to(CHECKOUT).as_posix(), path.read_text(encoding="utf-8")) for path in paths]
