"""Every error that sensord raises on purpose, and the exit code that each gives the command line.

SensordError            1   anything a person can mend
├── InvalidValue        1   one value that is not what it should be; knows no file
├── ConfigError         1   all the problems of the config files, each with its place
├── DatabaseError       1   the database is newer, older, locked or refuses us
│   ├── Unreachable     1   no connection, or it broke: what was in flight may have been committed or not
│   └── Locked          1   another session keeps what a statement needs: nothing was done
├── LeadLost            1   this daemon led, and another one has taken over
├── DaemonRunning       1   a second daemon on the same database
├── UsageError          2   arguments that make no sense together
├── NoDaemon            3   a change was asked for and nobody leads
└── NotFound            4   no such flow, run or log
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in one place. `line` and `column` count from 1; the column counts characters, not bytes."""

    message: str
    hint: str | None = None
    file: str | None = None
    line: int | None = None
    column: int | None = None
    flow: str | None = None
    key: str | None = None

    def at(self, *, file: str, line: int | None = None, column: int | None = None) -> "Problem":
        return replace(self, file=file, line=line, column=column)

    @property
    def place(self) -> str:
        """`file:line:column`, as far as it is known."""
        parts = [self.file, self.line, self.column]
        return ":".join(str(part) for part in parts if part is not None)

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        key = f"{self.key}: " if self.key else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{where}{key}{self.message}{hint}"


class SensordError(Exception):
    """The root: what a person can mend. Its text is one line, fit to print; `hint` says what to try."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InvalidValue(SensordError, ValueError):
    """A value that is not what it should be: "expected X, got Y". Whoever knows the file adds the place.

    at: which character of a text is to blame, from 0, where that is known.
    """

    def __init__(self, message: str, *, hint: str | None = None, at: int | None = None) -> None:
        super().__init__(message, hint=hint)
        self.at = at


class ConfigError(SensordError):
    """The config cannot be used as it stands; `problems` holds all that is wrong, never empty."""

    def __init__(self, problems: "list[Problem]") -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class DatabaseError(SensordError):
    """The database cannot be used: newer than this program, not there, locked, or refusing us."""


class Unreachable(DatabaseError):
    """No connection to the database, or one that broke. Connecting again may help."""


class Locked(DatabaseError):
    """Another session keeps what a statement needs, for too long. Trying again may help."""


class LeadLost(SensordError):
    """Another daemon leads now: this one decides nothing more."""


class DaemonRunning(SensordError):
    """Another daemon holds the lead."""


class UsageError(SensordError):
    exit_code = 2


class NoDaemon(SensordError):
    exit_code = 3


class NotFound(SensordError):
    exit_code = 4
