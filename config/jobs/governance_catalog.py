"""governance/catalog, every three minutes: a page that lists every table of this warehouse: `catalog.md`.

Start reading there.
"""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path

from tables import Row, markdown
from warehouse import UTC, Lacking, Run, perform, setting, stamp, write_whole

COLUMNS = ["table", "files", "kib", "rows_in_newest", "newest", "written_at"]


def list_tables(run: Run) -> str:
    root = Path(setting("WAREHOUSE"))
    folders = sorted({path.parent for path in root.glob("*/*/2*.csv")})
    if not folders:
        raise Lacking(f"there is no table in {root}")
    rows = [describe(root, folder) for folder in folders]
    page = f"# The warehouse as of {stamp(run.logical_date)}\n\n{markdown(COLUMNS, rows)}"
    pages = sorted(path.relative_to(root).as_posix() for path in root.glob("*/*/latest.md"))
    page += "\nPages: " + ", ".join(f"[{name}]({name})" for name in pages) + "\n"
    write_whole(root / "catalog.md", page)
    return f"{len(rows)} tables, {sum(int(row['files']) for row in rows)} files, {len(pages)} pages"


def describe(root: Path, folder: Path) -> Row:
    files = sorted(folder.glob("2*.csv"))
    with files[-1].open(encoding="utf-8", newline="") as file:
        rows = sum(1 for _ in csv.DictReader(file))
    return {
        "table": folder.relative_to(root).as_posix(),
        "files": str(len(files)),
        "kib": str(-(-sum(path.stat().st_size for path in files) // 1024)),
        "rows_in_newest": str(rows),
        "newest": files[-1].name,
        "written_at": stamp(datetime.fromtimestamp(files[-1].stat().st_mtime, UTC)),
    }


if __name__ == "__main__":
    perform(list_tables)
