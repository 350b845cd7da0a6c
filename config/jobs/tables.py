"""The two kinds of table in this warehouse, both plain CSV.

A Snapshot has a file per logical date, a Journal a file per day with a row per logical date. To write a date again is
to replace it, so every job may be run again.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Dict  # noqa: UP035 -- the machine's python3 may be older than sensord's own

from warehouse import UTC, Lacking, folder, locked, parse, stamp, write_whole

Row = Dict[str, str]  # noqa: UP006 -- the machine's python3 may be older than sensord's own
KEY = "logical_date"
NAME = "%Y%m%dT%H%M%SZ"


class Snapshot:
    """A table that each run writes anew: `<table>/20260801T100000Z.csv`."""

    def __init__(self, name: str, columns: Sequence[str]) -> None:
        self.name, self.columns, self.folder = name, columns, folder(name)

    def write(self, date: datetime, rows: list[Row]) -> None:
        write_whole(self._path(date), _format(self.columns, rows))

    def dates(self) -> list[datetime]:
        """The logical dates that are there, oldest first."""
        return [_date(path) for path in self._paths()]

    def read(self, date: datetime) -> list[Row]:
        if not self._path(date).exists():
            raise Lacking(f"{self.name} has no partition of {stamp(date)} (looked for {self._path(date)})")
        return _parse(self._path(date))

    def newest(self, until: datetime) -> datetime:
        """The newest logical date at or before `until`: what a sensor with `latest` waits for."""
        paths = [path for path in self._paths() if path <= self._path(until)]
        if not paths:
            raise Lacking(f"{self.name} has no partition at or before {stamp(until)} (looked in {self.folder})")
        return _date(paths[-1])

    def holds(self, date: datetime) -> bool:
        return self._path(date).exists()

    def keep(self, number: int) -> None:
        """Drop all but the newest partitions."""
        for path in self._paths()[:-number]:
            path.unlink()

    def _path(self, date: datetime) -> Path:
        return self.folder / f"{date:{NAME}}.csv"

    def _paths(self) -> list[Path]:
        return sorted(self.folder.glob("2*.csv"))


class Journal:
    """A table that grows by a row per logical date: `<table>/2026-08-01.csv`. `columns` begin with the logical date."""

    def __init__(self, name: str, columns: Sequence[str]) -> None:
        self.name, self.columns, self.folder = name, columns, folder(name)

    def put(self, row: Row) -> None:
        """Add the row, or replace the one of the same logical date; safe while others do the same."""
        path = self.folder / f"{row[KEY][:10]}.csv"
        with locked(self.folder):
            rows = {old[KEY]: old for old in _parse(path)} if path.exists() else {}
            rows[row[KEY]] = row
            write_whole(path, _format(self.columns, [rows[date] for date in sorted(rows)]))

    def between(self, after: datetime, until: datetime) -> list[Row]:
        """The rows with `after < logical date <= until`, oldest first."""
        days = (until.date() - after.date()).days
        paths = [self.folder / f"{after.date() + timedelta(days=day)}.csv" for day in range(days + 1)]
        rows = [row for path in paths if path.exists() for row in _parse(path)]
        return [row for row in rows if after < parse(row[KEY]) <= until]

    def find(self, date: datetime) -> Row | None:
        rows = self.between(date - timedelta(seconds=1), date)
        return rows[0] if rows else None

    def read(self, date: datetime) -> Row:
        row = self.find(date)
        if row is None:
            raise Lacking(f"{self.name} has no row of {stamp(date)} (looked in {self.folder}/{date.date()}.csv)")
        return row

    def last(self, number: int, before: datetime | None = None) -> list[Row]:
        """The newest rows (of those before an instant), oldest first."""
        found: list[Row] = []
        for path in sorted(self.folder.glob("2*.csv"), reverse=True):
            rows = [row for row in _parse(path) if before is None or parse(row[KEY]) < before]
            found = rows + found
            if len(found) >= number:
                break
        return found[-number:]


def markdown(columns: Sequence[str], rows: Sequence[Row]) -> str:
    """A table that reads as well in a terminal as on a page."""
    cells = [list(columns), *([row[column].replace("|", "/") for column in columns] for row in rows)]
    widths = [max(len(line[at]) for line in cells) for at in range(len(columns))]
    lines = ["| " + " | ".join(line[at].ljust(widths[at]) for at in range(len(columns))) + " |" for line in cells]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]) + "\n"


def _date(path: Path) -> datetime:
    return datetime.strptime(path.stem, NAME).replace(tzinfo=UTC)


def _format(columns: Sequence[str], rows: Sequence[Row]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _parse(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
