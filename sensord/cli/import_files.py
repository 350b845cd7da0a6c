"""What all imports share: drafts are proved, written where there is nothing yet, and what is not as it was is told."""

import pwd
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from sensord.cli.render import Line, Span, count, message, show
from sensord.cli.scaffold import header, write_new
from sensord.cli.session import Session
from sensord.config import load, load_settings
from sensord.config.files import find_files
from sensord.config.names import FLOWS_FOLDER, SETTINGS_FILE, explain_bad_name
from sensord.core.zone import parse_zone
from sensord.errors import ConfigError, InvalidValue, NotFound, Problem, SensordError, UsageError
from sensord.importing.crontab_flows import Homes
from sensord.importing.draft import Draft, Imported, Note
from sensord.importing.toml import write_table

SUBJECT = 60
"""Characters of what a note is about that are shown."""


def folder_name(folder: str) -> str:
    """`--into` as the beginning of flows' names: "", "cron/". UsageError where no flow may be called so."""
    name = folder.strip("/")
    if name and (bad := explain_bad_name(name)):
        raise UsageError(f"--into: {bad[0]}", hint="it is a folder below flows/, such as cron or etl/cron")
    return f"{name}/" if name else ""


def given_zone(name: str | None) -> str | None:
    try:
        return name and parse_zone(name).key
    except InvalidValue as error:
        raise UsageError(f"--timezone: {error.message}", hint=error.hint) from None


def homes(session: Session) -> Homes:
    """The homes of this host's users; without a name, of whoever calls."""

    def home(user: str | None) -> str | None:
        if user is None:
            return session.environ.get("HOME")
        try:
            return pwd.getpwnam(user).pw_dir
        except KeyError:
            return None

    return home


def read_dags_folder(folder: Path) -> dict[str, str]:
    """The texts of the files in which Airflow, too, would look for DAGs. NotFound where there is no such folder."""
    if not folder.is_dir():
        hint = "name the folder that the file lies in: its DAGs are read together" if folder.exists() else None
        raise NotFound(f"no folder {folder}", hint=hint)
    files = {}
    for path in sorted(folder.rglob("*.py")):
        try:
            content = path.read_bytes()
        except OSError as error:
            raise SensordError(f"cannot read {path}: {error.strerror}") from error
        if b"dag" in content.lower() and b"airflow" in content.lower():
            files[str(path)] = content.decode(errors="replace")
    return files


def finish(session: Session, found: Imported, *, dry_run: bool) -> None:
    """Write what loads, or with `dry_run` print it; then tell what could not be carried over."""
    drafts, refused = _prove(found.drafts, load_settings(session.config_dir).allowed_users)
    notes = [*found.notes, *refused]
    if dry_run:
        show([line for draft in drafts for line in _as_printed(session.config_dir, draft)])
        made = drafts
    else:
        made = _write(session.config_dir, drafts, notes)
    notes.sort(key=lambda note: (note.line is None, note.file, note.line or 0))
    show([line for note in notes for line in _as_told(note)], to=sys.stderr)
    lost = sum(note.lost for note in notes)
    left = f", {count(lost, 'thing')} left out" if lost else ""
    message(f"{count(len(made), 'flow')} {'to be made' if dry_run else 'made'}{left}")
    if made and not dry_run:
        _check(session.config_dir, {draft.name for draft in made})


def _prove(drafts: Sequence[Draft], users: Sequence[str]) -> tuple[list[Draft], list[Note]]:
    """Those that load, among one another; and what is wrong with the others, as a loader says it."""
    notes: list[Note] = []
    while problems := _problems(drafts, users):
        for draft in drafts:
            if problem := problems.get(draft.name):
                message = f"{problem.key}: {problem.message}" if problem.key else problem.message
                notes.append(Note(draft.file, draft.line, draft.name, message, problem.hint, lost=True))
        drafts = [draft for draft in drafts if draft.name not in problems]
    return list(drafts), notes


def _problems(drafts: Sequence[Draft], users: Sequence[str]) -> dict[str, Problem]:
    """The first thing that is wrong with each draft of which anything is."""
    with TemporaryDirectory() as folder:
        directory = Path(folder)
        (directory / FLOWS_FOLDER).mkdir()
        (directory / SETTINGS_FILE).write_text(write_table("", {"allowed_users": users}), encoding="utf-8")
        for draft in drafts:
            write_new(directory / _file(draft), draft.text())
        return {problem.flow: problem for problem in reversed(load(directory).problems) if problem.flow}


def _write(directory: Path, drafts: Sequence[Draft], notes: list[Note]) -> list[Draft]:
    """The drafts whose files were made. Where a flow of that name is there, in whatever case, it stays as it is."""
    there = find_files(directory).files if (directory / FLOWS_FOLDER).is_dir() else []
    known = {found.name.lower(): found for found in there}
    made = []
    for draft in drafts:
        path = directory / _file(draft)
        try:
            if draft.name.lower() not in known and write_new(path, f"{header(_file(draft))}\n{draft.text()}"):
                message(f"made {path}")
                made.append(draft)
                continue
        except OSError as error:
            raise SensordError(f"cannot write {error.filename}: {error.strerror}") from error
        hint = "rename it, or take another folder with --into"
        notes.append(Note(draft.file, draft.line, draft.name, "there is a flow of this name already", hint, lost=True))
    return made


def _check(directory: Path, names: set[str]) -> None:
    """What is wrong with them where they are now: defaults.toml has a say, too."""
    problems = [problem for problem in load(directory).problems if problem.flow in names]
    if problems:
        raise ConfigError(problems)
    at = "" if directory == Path("config") else f" --config {directory}"
    message(f"next: `sensord{at} check`")


def _file(draft: Draft) -> str:
    return f"{FLOWS_FOLDER}/{draft.name}.toml"


def _as_printed(directory: Path, draft: Draft) -> Iterator[Line]:
    yield [Span(f"# {directory / _file(draft)}", "bold")]
    yield from ([Span(line)] for line in draft.text().splitlines())
    yield []


def _as_told(note: Note) -> Iterator[Line]:
    what = Span("left out: ", "bold red") if note.lost else Span("differs: ", "bold yellow")
    subject = note.subject if len(note.subject) <= SUBJECT else f"{note.subject[: SUBJECT - 1]}…"
    yield [Span(f"{note.place}: ", "bold"), what, Span(f"{subject}: {note.message}")]
    if note.hint:
        yield [Span("    hint: ", "cyan"), Span(note.hint)]
