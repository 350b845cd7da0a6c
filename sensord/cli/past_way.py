"""What held a run up: the upstream run that came last, what came last to that, and so on up."""

from dataclasses import dataclass
from datetime import datetime

from sensord.cli.past import Archive, End, Story

MOST = 100
"""Steps that are followed."""


@dataclass(frozen=True, slots=True)
class Step:
    """An upstream run that came last of all that the run before it waited for. story: how its present life went, where
    that is the one in which it came to `end`.
    """

    flow: str
    logical_at: datetime
    end: End
    story: Story | None


def find_way(archive: Archive, story: Story) -> list[Step]:
    """Empty where the run did not have to wait, or waits still. It goes up as far as runs waited at the same time."""
    way: list[Step] = []
    current: Story | None = story
    while current and current.released and len(way) < MOST:
        turn = current.last
        if turn is None or turn.upstream is None or turn.end is None or turn.period.since_at <= story.begun_at:
            break
        upstream = turn.upstream.upstream
        before = archive.tell([upstream])[0] if upstream else None
        if before and before.first != turn.end:
            before = None
        way.append(Step(turn.upstream.flow, turn.upstream.logical_at, turn.end, before))
        current = before
    return way
