"""Makes a flow of each job of a crontab, so that it does what cron did, and notes what cannot be as it was."""

import re
from collections.abc import Callable, Collection, Mapping

from sensord.config.names import show
from sensord.core.cron_parse import parse_rule
from sensord.core.template import escape_text
from sensord.core.zone import parse_zone
from sensord.errors import InvalidValue
from sensord.importing.crontab import Job, Setting, has_users, read_crontab, split_input
from sensord.importing.draft import Draft, Imported, Note
from sensord.importing.naming import name_command, unique
from sensord.importing.toml import Value

Homes = Callable[[str | None], str | None]
"""The home of a user (None: whoever's crontab it is), as far as it is known."""

_SHELL = "/bin/sh"
_POSIX = re.compile(r"(.*/)?(ba|da|k|mk|a|z)?sh")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CRONS_OWN = frozenset({"SHELL", "CRON_TZ", "MAILTO", "MAILFROM", "CONTENT_TYPE", "CONTENT_TRANSFER_ENCODING"})
_LOGIN = ("LOGNAME", "USER")


def import_crontab(
    text: str,
    file: str,
    *,
    zone: str | None = None,
    users: bool | None = None,
    allowed: Collection[str] = (),
    folder: str = "",
    home: Homes,
) -> Imported:
    """zone: by which its times are, where no CRON_TZ says so; None is UTC, with a note.

    users: whether a user stands before each command; None looks for itself. allowed: as which of them flows may run.
    folder: below `flows/`, with a slash at its end, where the flows are to be.
    """
    if users is None:
        users = has_users(text)
    reader = _Reader(file, zone, allowed, folder, home)
    for one in read_crontab(text, users=users):
        match one:
            case Setting():
                reader.see(one)
            case Job():
                reader.add(one)
    reader.close()
    return reader.found


class _Reader:
    def __init__(self, file: str, zone: str | None, allowed: Collection[str], folder: str, home: Homes) -> None:
        self.file = file
        self.zone = zone
        self.allowed = allowed
        self.folder = folder
        self.home = home
        self.found = Imported()
        self.users: set[str] = set()
        self.guessed_zone = False

    def see(self, setting: Setting) -> None:
        name, value = setting.name, setting.value
        subject = f"{name}={value}"
        if name == "MAILTO":
            if value:
                hint = "what a command writes is kept with its run: `sensord run logs FLOW`"
                self._note(setting.line, subject, "no mail is sent", hint)
        elif name in _CRONS_OWN:
            pass
        elif not _NAME.fullmatch(name) or name.upper().startswith("SENSORD_"):
            self._note(setting.line, subject, "a variable of this name cannot be given to a command", lost=True)

    def add(self, job: Job) -> None:
        schedule = self._schedule(job)
        run = self._run(job) if schedule else None
        if schedule is None or run is None:
            return
        name = self.folder + name_command(split_input(job.command)[0])
        self.found.drafts.append(
            Draft(
                unique(name, [draft.name for draft in self.found.drafts]),
                self.file,
                job.line,
                schedule,
                run,
                top={"description": job.comment} if job.comment else {},
                env={name: escape_text(value) for name, value in job.variables.items() if _is_given(name)},
                comments=[f"from {self.file}:{job.line}: {job.text}"],
            )
        )

    def close(self) -> None:
        if self.guessed_zone:
            hint = "`timedatectl` shows the host's zone: say it with --timezone Europe/Amsterdam"
            self._note(None, "times", "cron goes by the host's zone, which is not in the file; taken as UTC", hint)
        if self.found.drafts:
            hint = "max_active = 2 or more, below [run], lets them run side by side"
            self._note(None, "overlaps", "cron starts a command while its last one still runs; a flow waits", hint)

    def _schedule(self, job: Job) -> Mapping[str, Value] | None:
        """None where it is refused, with a note."""
        try:
            parse_rule(job.schedule, seconds=False)
        except InvalidValue as error:
            self._lose(job, error.message, error.hint)
            return None
        zone = job.variables.get("CRON_TZ") or self.zone
        try:
            written = {"timezone": parse_zone(zone).key} if zone and zone != "UTC" else {}
        except InvalidValue as error:
            self._lose(job, f"CRON_TZ: {error.message}", error.hint)
            return None
        self.guessed_zone |= zone is None
        # What cron has run is not run again, and what it would have missed is not made up for.
        return {"cron": job.schedule, **written, "first": "next", "catchup": "none"}

    def _run(self, job: Job) -> Mapping[str, Value] | None:
        command, given = split_input(job.command)
        shell = job.variables.get("SHELL") or _SHELL
        if not command.strip():
            what = "a user and a command" if job.user is not None else "five fields and a command"
            self._lose(job, f"expected {what}, got less")
            return None
        if given:
            if not _POSIX.fullmatch(shell):
                self._lose(job, f"the lines after % cannot be given to {shell}", "put the command into a script")
                return None
            command = _with_input(command, given)
        if "\\\\" in job.command:
            message = r"`\\` is taken as it is; some crons make one backslash of two"
            self._note(job.line, job.text, message, "see what the command does, or put it into a script")
        text = escape_text(command)
        run: dict[str, Value] = (
            {"shell": True, "command": text} if shell == _SHELL else {"command": [escape_text(shell), "-c", text]}
        )
        if passed := [name for name in _LOGIN if f"${name}" in command or f"${{{name}" in command]:
            run["pass_env"] = passed
        if job.user is not None and job.user in self.allowed:
            run["user"] = job.user
        else:
            self._see_user(job)
        home = job.variables.get("HOME") or self.home(job.user)
        if home:
            run["cwd"] = home
        else:
            hint = "say it with cwd, below [run]"
            self._note(job.line, job.text, "cron starts it in its user's home, which is not known here", hint)
        return run

    def _see_user(self, job: Job) -> None:
        if job.user is not None and job.user not in self.users:
            self.users.add(job.user)
            hint = f'write allowed_users = ["{job.user}"] into sensord.toml, and user = "{job.user}" below [run]'
            self._note(job.line, f"user {show(job.user)}", "its commands run as the daemon's own user", hint)

    def _lose(self, job: Job, message: str, hint: str | None = None) -> None:
        self._note(job.line, job.text, message, hint, lost=True)

    def _note(
        self, line: int | None, subject: str, message: str, hint: str | None = None, *, lost: bool = False
    ) -> None:
        self.found.notes.append(Note(self.file, line, subject, message, hint, lost))


def _is_given(name: str) -> bool:
    """Whether a command sees the variable: those of cron's own are for cron."""
    return name not in _CRONS_OWN and _NAME.fullmatch(name) is not None and not name.upper().startswith("SENSORD_")


def _with_input(command: str, given: str) -> str:
    """The command, with the lines as what the whole of it reads: they become the shell's own input first."""
    lines, end, number = given.removesuffix("\n").split("\n"), "END", 1
    while end in lines:
        number += 1
        end = f"END{number}"
    return "\n".join([f"exec <<'{end}'", *lines, end, command])
