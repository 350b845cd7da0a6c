"""The command of a flow from `[run]`: its argument list or shell text, and what it sees of the environment."""

import json
import re
import shlex

from sensord.config.names import show
from sensord.config.report import Report
from sensord.config.tables import RunTable
from sensord.config.unsupported import TEMPLATES
from sensord.core.flow import Command

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_IN_TEMPLATE = re.compile(r"\{\{\s*(flow|logical_date|data_interval_start|data_interval_end|run_id|attempt|upstream)\b")
_OWN = "SENSORD_"


def build_command(table: RunTable, report: Report) -> Command | None:
    """None where there is none or it is wrong; what is wrong goes to `report`."""
    before = len(report.problems)
    _check_command(table, report)
    _check_environment(table, report)
    if table.cwd is not None and not table.cwd.strip():
        report.at_value(("run", "cwd"), "expected the path of a folder, got an empty text", 'the config folder is "."')
    if len(report.problems) > before or table.command is None:
        return None
    shell_text = table.command if isinstance(table.command, str) else None
    return Command(
        argv=None if isinstance(table.command, str) else tuple(table.command),
        shell_text=shell_text,
        env=tuple(sorted((table.env or {}).items())),
        pass_env=tuple(dict.fromkeys(table.pass_env or ())),
        cwd=table.cwd or ".",
    )


def _check_command(table: RunTable, report: Report) -> None:
    path = ("run", "command")
    match table.command:
        case None:
            hint = 'such as command = ["python", "-m", "load"]'
            report.missing(("run",), "command", "expected a command, got none", hint)
        case str() as text if not table.shell:
            if not report.said(("run", "shell")):
                report.at_value(path, "expected a list of texts, got one text", _propose_list(text))
        case str() as text if not text.strip():
            report.at_value(path, "expected a command for the shell, got an empty text")
        case str() as text:
            _refuse_template(path, text, report)
        case list() if table.shell:
            hint = "write it as one text, or leave shell out"
            report.at_value(path, "expected one text, since shell = true, got a list", hint)
        case list() as texts if not texts or not texts[0]:
            got = "an empty text" if texts else "an empty list"
            report.at_value(path, f"expected a list that begins with a program, got {got}")
        case list() as texts:
            for number, text in enumerate(texts):
                _refuse_template((*path, number), text, report)


def _propose_list(text: str) -> str:
    try:
        words = shlex.split(text)
    except ValueError:  # quotes that do not close: no list can be proposed
        words = []
    plain = words and not re.search(r"[|&;<>$`*?~(){}\n]", text)
    return f"write {json.dumps(words, ensure_ascii=False)}, or add shell = true" if plain else "add shell = true"


def _check_environment(table: RunTable, report: Report) -> None:
    for name, value in (table.env or {}).items():
        path = ("run", "env", name)
        if problem := _bad_variable(name):
            report.at_key(path, *problem)
        _refuse_template(path, value, report)
    for number, name in enumerate(table.pass_env or ()):
        if problem := _bad_variable(name):
            report.at_value(("run", "pass_env", number), *problem)


def _bad_variable(name: str) -> tuple[str, str | None] | None:
    if not _VARIABLE.fullmatch(name):
        return f"expected the name of a variable, got {show(name)}", "letters, digits and _, with no digit first"
    if name.upper().startswith(_OWN):
        return f"expected a name that does not start with {_OWN}, got {show(name)}", "these are given by sensord itself"
    return None


def _refuse_template(path: tuple[str | int, ...], text: str, report: Report) -> None:
    if not any(mark in text for mark in TEMPLATES):
        return
    found = _IN_TEMPLATE.search(text)
    variable = f"${_OWN}{found[1].upper() if found else 'LOGICAL_DATE'}"
    hint = f"the command finds {'it' if found else 'such values'} in its environment: {variable}"
    report.at_value(path, f"templates are not supported by this version of sensord, got {show(text)}", hint)
