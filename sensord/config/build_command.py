"""The command of a flow from `[run]`: its argument list or shell text, and what it sees of the environment."""

import json
import re
import shlex
from collections.abc import Mapping

from sensord.config.document import Path
from sensord.config.names import did_you_mean, show
from sensord.config.report import Report
from sensord.config.shell_places import refused_places
from sensord.config.tables import RunTable
from sensord.config.templates import parse_template
from sensord.core.flow import Command
from sensord.core.params import Param
from sensord.core.template import Template, Text

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OWN = "SENSORD_"


def build_command(table: RunTable, params: Mapping[str, Param], report: Report) -> Command | None:
    """None where there is none or it is wrong; what is wrong goes to `report`. Of `params` it keeps what it needs."""
    before = len(report.problems)
    _check_command(table, params, report)
    _check_environment(table, params, report)
    if table.cwd is not None and not table.cwd.strip():
        report.at_value(("run", "cwd"), "expected the path of a folder, got an empty text", 'the config folder is "."')
    if len(report.problems) > before or table.command is None:
        return None
    words = [table.command] if isinstance(table.command, str) else table.command
    texts = [_parse(word) for word in words]
    env = {name: _parse(text) for name, text in sorted((table.env or {}).items())}
    needed = {name for text in (*texts, *env.values()) if isinstance(text, Template) for name in text.params}
    return Command(
        argv=None if isinstance(table.command, str) else tuple(texts),
        shell_text=texts[0] if isinstance(table.command, str) else None,
        env=tuple(env.items()),
        params=tuple((name, params[name]) for name in sorted(needed)),
        pass_env=tuple(dict.fromkeys(table.pass_env or ())),
        cwd=table.cwd or ".",
        user=table.user,
    )


def _check_command(table: RunTable, params: Mapping[str, Param], report: Report) -> None:
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
            _check_template(path, text, params, report, shell=True)
        case list() if table.shell:
            hint = "write it as one text, or leave shell out"
            report.at_value(path, "expected one text, since shell = true, got a list", hint)
        case list() as texts if not texts or not texts[0]:
            got = "an empty text" if texts else "an empty list"
            report.at_value(path, f"expected a list that begins with a program, got {got}")
        case list() as texts:
            for number, text in enumerate(texts):
                _check_template((*path, number), text, params, report)


def _propose_list(text: str) -> str:
    try:
        words = shlex.split(text)
    except ValueError:  # quotes that do not close: no list can be proposed
        words = []
    plain = words and not re.search(r"[|&;<>$`*?~(){}\n]", text)
    return f"write {json.dumps(words, ensure_ascii=False)}, or add shell = true" if plain else "add shell = true"


def _check_environment(table: RunTable, params: Mapping[str, Param], report: Report) -> None:
    for name, value in (table.env or {}).items():
        path = ("run", "env", name)
        if problem := _bad_variable(name):
            report.at_key(path, *problem)
        _check_template(path, value, params, report)
    for number, name in enumerate(table.pass_env or ()):
        if problem := _bad_variable(name):
            report.at_value(("run", "pass_env", number), *problem)


def _bad_variable(name: str) -> tuple[str, str | None] | None:
    if not _VARIABLE.fullmatch(name):
        return f"expected the name of a variable, got {show(name)}", "letters, digits and _, with no digit first"
    if name.upper().startswith(_OWN):
        return f"expected a name that does not start with {_OWN}, got {show(name)}", "these are given by sensord itself"
    return None


def _check_template(path: Path, text: str, params: Mapping[str, Param], report: Report, *, shell: bool = False) -> None:
    parsed = parse_template(text)
    for fault in parsed.faults:
        report.refuse(path, fault)
    if not isinstance(parsed.text, Template):
        return
    for name in sorted(parsed.text.params - params.keys()):
        report.lacks_param(path, name, did_you_mean(name, params))
    for part, place in refused_places(parsed.text) if shell else ():
        hint = f'give it to the command by [run.env], as VALUE = "{part}", and write "$VALUE" here'
        report.at_value(path, f"expected no value within quotes or the like, got {part} in {place}", hint)


def _parse(text: str) -> Text:
    parsed = parse_template(text).text
    assert parsed is not None  # it was checked
    return parsed
