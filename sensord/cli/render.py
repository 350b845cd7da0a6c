"""How the command line prints: data to stdout, messages to stderr, aligned columns, or JSON.

Text that comes from elsewhere (names, logs, messages) is escaped here, in one place, whatever the command. A line is a
list of spans: text and style stay apart until the end, so that no text can carry markup or control a terminal.
"""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

import click

from sensord.escape import escape

if TYPE_CHECKING:
    from rich.console import Console

GAP = "  "
NARROWEST = 12


class Span(NamedTuple):
    """A piece of text in one style (rich's words: "red", "bold", "dim")."""

    text: str
    style: str = ""


Line = Sequence[Span]
Cell = str | Span | Line


@dataclass(frozen=True, slots=True)
class Column:
    """flex: may be cut at the edge of a terminal. spare: is left out where even that is too wide, the last one first.

    Of piped output nothing is cut or left out.
    """

    title: str
    flex: bool = False
    right: bool = False
    spare: bool = False


def show_json(value: Any) -> None:
    """One JSON document, ASCII only: what is not is escaped."""
    import json

    click.echo(json.dumps(value, indent=2))


def show(lines: Iterable[Line], *, to: TextIO | None = None) -> None:
    """Print lines: styled on a terminal, plain elsewhere; one write for all of them."""
    stream = to or sys.stdout
    if stream.isatty():
        _show_styled(lines, stream)
    else:
        text = "".join("".join(escape(span.text) for span in line).rstrip() + "\n" for line in lines)
        click.echo(text, nl=False, file=stream)


def table(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
    """Print rows below their titles, as wide as a terminal allows."""
    show(layout(columns, rows, width=terminal_width()))


def layout(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], *, width: int | None) -> list[Line]:
    """Rows as lines of aligned columns, `-` for what is empty. With `width`, flexible and spare ones give way to it."""
    titles: list[Line] = [[Span(column.title, "bold")] for column in columns]
    cells = [titles, *([_spans(cell) for cell in row] for row in rows)]
    measure = _measure(cells)
    widths = [max(measured) for measured in zip(*measure, strict=True)]
    if width is not None:
        shown = _shown(columns, widths, width)
        columns, widths = [columns[at] for at in shown], [widths[at] for at in shown]
        cells = [[row[at] for at in shown] for row in cells]
        measure = [[row[at] for at in shown] for row in measure]
        _shrink(columns, widths, width)
    return [_line(columns, row, lengths, widths) for row, lengths in zip(cells, measure, strict=True)]


def terminal_width() -> int | None:
    """The columns of the terminal that stdout is; None where it is none."""
    return terminal_size()[0] if sys.stdout.isatty() else None


def terminal_size() -> tuple[int, int]:
    """Columns and lines of the terminal."""
    import shutil

    size = shutil.get_terminal_size()
    return size.columns, size.lines


def redraw(lines: Iterable[Line]) -> None:
    """Print lines from the top of the terminal, in place of what stood there."""
    sys.stdout.write("\x1b[H\x1b[2J")
    show(lines)
    sys.stdout.flush()


def message(text: str, *, style: str = "") -> None:
    """A line for people, on stderr."""
    show([[Span(text, style)]], to=sys.stderr)


def span_of(duration: timedelta) -> str:
    """A length of time in its two largest units: `3d4h`, `2h5m`, `41s`."""
    seconds = max(int(duration.total_seconds()), 0)
    units = (("d", seconds // 86400), ("h", seconds // 3600 % 24), ("m", seconds // 60 % 60), ("s", seconds % 60))
    first = next((index for index, (_, number) in enumerate(units) if number), 3)
    shown = [f"{number}{unit}" for unit, number in units[first : first + 2] if number]
    return "".join(shown) or "0s"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """`1 run`, `2 runs`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def _spans(cell: Cell) -> Line:
    if isinstance(cell, str):
        return [Span(cell or "-")]
    if isinstance(cell, Span):
        return [cell if cell.text else Span("-")]
    return cell or [Span("-")]


def _measure(cells: Sequence[Sequence[Line]]) -> list[list[int]]:
    return [[sum(cell_width(span.text) for span in line) for line in row] for row in cells]


def cell_width(text: str) -> int:
    """How many columns of a terminal a text takes, once escaped."""
    if text.isascii() and text.isprintable():
        return len(text)
    from rich.cells import cell_len

    return cell_len(escape(text))


def _shown(columns: Sequence[Column], widths: Sequence[int], width: int) -> list[int]:
    """The places of the columns that are shown: all, or as many of the spare ones as there is room for."""
    least = [min(taken, NARROWEST) if column.flex else taken for column, taken in zip(columns, widths, strict=True)]
    shown = list(range(len(columns)))
    for place in reversed([at for at, column in enumerate(columns) if column.spare]):
        if sum(least[at] for at in shown) + len(GAP) * (len(shown) - 1) > width:
            shown.remove(place)
    return shown


def _shrink(columns: Sequence[Column], widths: list[int], width: int) -> None:
    """Take what is too much from the widest of the flexible columns, down to NARROWEST."""
    excess = sum(widths) + len(GAP) * (len(widths) - 1) - width
    flexible = sorted((index for index, column in enumerate(columns) if column.flex), key=lambda at: -widths[at])
    for index in flexible:
        given = min(max(widths[index] - NARROWEST, 0), max(excess, 0))
        widths[index] -= given
        excess -= given


def _line(columns: Sequence[Column], row: Sequence[Line], lengths: Sequence[int], widths: Sequence[int]) -> Line:
    spans: list[Span] = []
    last = len(columns) - 1
    for index, (column, line, length) in enumerate(zip_longest(columns, row, lengths)):
        shown, taken = (line, length) if length <= widths[index] else (_cut(line, widths[index]), widths[index])
        padding = Span(" " * (widths[index] - taken))
        spans += [padding, *shown] if column.right else [*shown, padding]
        if index < last:
            spans.append(Span(GAP))
    return spans


def _cut(line: Line, width: int) -> Line:
    """As much of the line as fits, with a mark that some is missing."""
    from rich.cells import set_cell_size

    kept: list[Span] = []
    left = width - 1
    for span in line:
        text = escape(span.text)
        if cell_width(text) > left:
            kept.append(Span(set_cell_size(text, left) + "…", span.style))
            break
        kept.append(Span(text, span.style))
        left -= cell_width(text)
    return kept


def _show_styled(lines: Iterable[Line], stream: TextIO) -> None:
    from rich.text import Text

    console = _console(stream)
    text = Text("\n").join([Text.assemble(*((escape(span.text), span.style) for span in line)) for line in lines])
    console.print(text, soft_wrap=True, highlight=False, markup=False, emoji=False)


def _console(stream: TextIO) -> "Console":
    """A console of rich, which knows NO_COLOR, TERM and what colours the terminal has."""
    from rich.console import Console

    return Console(file=stream)
