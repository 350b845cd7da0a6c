"""quality/load_rows, every five minutes: are the rows of mart/load right, and how many are there?

A row with an impossible figure fails the run and names it. A minute without a row is counted, not a failure: it may
have been skipped, and if it failed that run says so itself.
"""

from __future__ import annotations

from datetime import timedelta

from tables import Journal, Row
from warehouse import Lacking, Run, Skip, perform, stamp

COLUMNS = ["logical_date", "expected", "found", "missing", "late"]
LATE_S = 60


def check(run: Run) -> str:
    rows = Journal("mart/load", ()).between(run.start, run.end)
    expected = (run.end - run.start) // timedelta(minutes=1)
    if not rows:
        raise Skip(f"mart/load has no row between {stamp(run.start)} and {stamp(run.end)}")
    wrong = [f"{row['logical_date']}: {problem}" for row in rows for problem in problems(row)]
    if wrong:
        raise Lacking(f"{len(wrong)} wrong figures in mart/load: {'; '.join(wrong)}")
    late = sum(int(row["late_s"]) > LATE_S for row in rows)
    counts = {"expected": expected, "found": len(rows), "missing": expected - len(rows), "late": late}
    row = {"logical_date": stamp(run.logical_date), **{name: str(count) for name, count in counts.items()}}
    Journal("quality/load_rows", COLUMNS).put(row)
    return f"{len(rows)} of {expected} rows up to {stamp(run.end)}, all of them right, {late} late"


def problems(row: Row) -> list[str]:
    found = []
    if not 0 <= float(row["mem_used_pct"]) <= 100:
        found.append(f"mem_used_pct is {row['mem_used_pct']}")
    if float(row["load1"]) < 0:
        found.append(f"load1 is {row['load1']}")
    if int(row["cpus"]) < 1:
        found.append(f"cpus is {row['cpus']}")
    if row["facts_of"] > row["logical_date"]:
        found.append(f"facts of {row['facts_of']} come after it")
    return found


if __name__ == "__main__":
    perform(check)
