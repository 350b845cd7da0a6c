"""What a course came to, in figures for people: blows, what was audited, and how long nobody led after a blow."""

import statistics
from collections import Counter
from collections.abc import Iterator

from tests.chaos.blows import Kind
from tests.chaos.evidence import Evidence

FATAL = frozenset({Kind.KILL_DAEMON, Kind.STOP_DAEMON})


def figures(evidence: Evidence) -> list[str]:
    """A line of Markdown's table each."""
    blows = Counter(span.kind for span in evidence.spans)
    outcomes = Counter(_word(one.exit_code, one.signal, one.problem) for one in evidence.outcomes.values())
    counts = [(str(kind), blows[kind]) for kind in Kind]
    counts += [
        ("times that a daemon was started", evidence.lives),
        ("times that a daemon took the lead", len(evidence.leads)),
        ("runs", len(evidence.runs)),
        ("outcomes audited", len(evidence.outcomes)),
        *((f"... {word}", number) for word, number in outcomes.most_common()),
        ("lines of commands audited", len(evidence.lines)),
    ]
    lines = [f"| {name} | {number:,} |" for name, number in counts]
    if seconds := sorted(handovers(evidence)):
        middle, longest = statistics.median(seconds), seconds[-1]
        lines.append(f"| hand-overs timed: median, longest | {len(seconds)}: {middle:.2f} s, {longest:.2f} s |")
    return ["| what | how often |", "|---|---|", *lines]


def handovers(evidence: Evidence) -> Iterator[float]:
    """Seconds from a blow on the leader to the next lead of another daemon, where nothing else was amiss meanwhile."""
    for span in evidence.spans:
        if span.kind in FATAL and _leader(evidence, span.begin_at) == span.whom:
            after = [(at, whom) for at, whom in evidence.leads if at > span.begin_at]
            if after and after[0][1] != span.whom and not _is_crossed(evidence, span.begin_at, after[0][0]):
                yield (after[0][0] - span.begin_at) / 1_000_000


def _leader(evidence: Evidence, at: int) -> str | None:
    """Who took the lead last, unless a blow has struck him since."""
    before = [(since, whom) for since, whom in evidence.leads if since <= at]
    if not before:
        return None
    since, whom = before[-1]
    struck = [
        span
        for span in evidence.spans
        if span.kind in (*FATAL, Kind.END_DAEMON) and span.whom == whom and since <= span.begin_at < at
    ]
    return None if struck else whom


def _is_crossed(evidence: Evidence, begin_at: int, end_at: int) -> bool:
    """Whether another blow that bears on who leads came in between, or was not over."""
    bearing = (*FATAL, Kind.END_DAEMON, Kind.DATABASE_AWAY, Kind.BREAK_SETTINGS)
    return any(
        span.kind in bearing and span.begin_at != begin_at and span.begin_at < end_at
        and (span.end_at is None or span.end_at > begin_at - 1_000_000)
        for span in evidence.spans
    )  # fmt: skip


def _word(code: int | None, signal: int | None, problem: str | None) -> str:
    return problem or (f"signal {signal}" if signal is not None else f"exit {code}")
