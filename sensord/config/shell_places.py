"""Where in a text for the shell a value may be put as one quoted word: not within quotes, nor where they are no quotes.

It follows POSIX's tokens only as far as it can be sure. What it cannot be sure of (a here-document, `case` within
`$(...)`) it does not follow, and lets no value in behind it.
"""

import re
from collections.abc import Iterator

from sensord.core.template import Substitution, Template

_QUOTES = {"'": "single quotes", '"': "double quotes", "`": "backquotes"}
_WORD_ENDS = " \t\n;|&()<>"
_CASE = re.compile(r"case(?![A-Za-z0-9_])")


def refused_places(template: Template) -> Iterator[tuple[Substitution, str]]:
    """Each substitution that a value must not be put into, and what it stands in: "double quotes"."""
    state = _State()
    for part in template.parts:
        if isinstance(part, str):
            state.read(part)
        else:
            if place := state.place:
                yield part, place
            state.pass_value()


class _State:
    """Where a reader of the text stands. `open`: what has begun and not ended, innermost last."""

    def __init__(self) -> None:
        self.open: list[str] = []
        self.unclear: str | None = None
        self.escaped = False
        self.comment = False
        self.subscript = False
        self.duplicate = ""
        self.before = "\n"

    @property
    def place(self) -> str | None:
        """What a value would stand in; None where it may stand here."""
        if self.unclear:
            return self.unclear
        if self.comment:
            return "a comment"
        if self.escaped:
            return "an escape: it follows a backslash"
        if self.subscript:
            return "[...]"
        if self.duplicate:
            return "a word behind >& or <&"
        if self.before == "$":
            return "an expansion: it follows a $"
        inside = self.open[-1] if self.open else "("
        return None if inside in ("$(", "(") else _QUOTES.get(inside, "${...}")

    def pass_value(self) -> None:
        self.escaped = False
        self.duplicate = self.duplicate and "within"
        self.before = "x"

    def read(self, text: str) -> None:
        at = 0
        while at < len(text) and not self.unclear:
            at += self._step(text, at)

    def _step(self, text: str, at: int) -> int:
        """Read what stands at `at`; how many characters it was."""
        letter, inside = text[at], self.open[-1] if self.open else ""
        before, self.before = self.before, letter
        if self.comment:
            self.comment = letter != "\n"
        elif self.escaped:
            self.escaped = False
            self.before = "x"
        elif inside == "'":
            self._close(letter, "'")
        elif letter == "\\":
            return self._escape(text, at, before, inside)
        elif inside == "`":
            self._close(letter, "`")
        elif inside == "${":
            self._read_expansion(letter, before)
        elif letter == "$" or (letter == "(" and text.startswith("((", at)):
            return self._begin(text, at, inside)
        elif inside == '"':
            self._read_double(letter)
        else:
            self._read_plain(text, at, before, inside)
        return 1

    def _escape(self, text: str, at: int, before: str, inside: str) -> int:
        """A backslash, and the end of the line if it takes that away."""
        if not text.startswith("\\\n", at):
            self.escaped = True
            return 1
        self.before = before
        if before in "$(" or (inside != '"' and before not in " \t\n"):
            self.unclear = "a word that goes on in the next line, or behind it"
        return 2

    def _close(self, letter: str, end: str) -> None:
        if letter == end:
            self.open.pop()
            self.before = "x"

    def _read_double(self, letter: str) -> None:
        if letter == "`":
            self.open.append(letter)
        else:
            self._close(letter, '"')

    def _read_expansion(self, letter: str, before: str) -> None:
        """`${...}`: which quotes count in it differs from shell to shell."""
        if letter in "'\"`$\\{" or (before == "{" and letter in " \t\n|("):
            self.unclear = "${...}, or behind one that is hard to follow"
        self._close(letter, "}")

    def _begin(self, text: str, at: int, inside: str) -> int:
        """A `$` and what it begins, or `((`."""
        if self.duplicate:
            self.unclear = "a word behind >& or <&, or behind that"
        for start in ("$((", "((", "$[", "$(", "${"):
            if text.startswith(start, at) and (start[0] == "$" or inside != '"'):
                self.before = start[-1]
                if start in ("$((", "((", "$["):
                    self.unclear = "arithmetic, or behind it"
                else:
                    self.open.append(start)
                return len(start)
        if text.startswith(("$'", '$"'), at) and inside != '"':
            self.unclear = "$'...', or behind it"
        return 1

    def _read_plain(self, text: str, at: int, before: str, inside: str) -> None:
        """Where commands are read: at the top, or within `$(...)`."""
        letter, fresh = text[at], before in _WORD_ENDS
        self._follow_oddities(letter, before, fresh)
        if letter in _QUOTES:
            self.open.append(letter)
        elif letter == "#" and fresh:
            self.comment = True
        elif fresh and text.startswith("[[", at):
            self.unclear = "[[ ... ]], or behind it"
        elif text.startswith("<<", at):
            self.unclear = "a here-document, or behind it"
        elif inside and letter == "(":
            self.open.append("(")
        elif inside and letter == ")":
            self.before = "x" if self.open.pop() == "$(" else letter
        elif inside and fresh and _CASE.match(text, at):
            self.unclear = "a case within $(...), or behind it"

    def _follow_oddities(self, letter: str, before: str, fresh: bool) -> None:
        """Quotes are in vain where bash expands twice: a word behind `>&`, and the arithmetic within `a[...]`."""
        if letter == "&" and before in "<>":
            self.duplicate = "before"
        elif self.duplicate and letter in _WORD_ENDS:
            self.duplicate = "before" if self.duplicate == "before" and letter in " \t" else ""
        elif self.duplicate:
            self.duplicate = "within"
        if letter in "[]":
            self.subscript = letter == "[" and not fresh
