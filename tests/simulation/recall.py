"""The past, held to what was seen: the verdicts of all waiting runs, and the states of all runs, are written down after
every step; and in the end each run's story, which is worked out from what the database keeps, has to say the same.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sensord.cli.past import Archive, SensorPast, Story
from sensord.cli.past_causes import BY_SENSORS, find_past_causes
from sensord.core.instant import format_instant, from_micros
from sensord.core.run import State
from sensord.core.sensor import Verdict
from sensord.daemon.activate import load
from sensord.daemon.standings import definitions, read_standings
from sensord.store import runs
from sensord.store.reads import past
from sensord.store.reads import runs as reads
from tests.daemon.world import World

RUNS = """
SELECT r.id, f.name, r.logical_date, r.state, r.rerun_at, r.mapped_at FROM run r JOIN flow f ON f.id = r.flow_id
"""
SLICE = 200


class Epoch(NamedTuple):
    """As long as these stay the same, so does what a run is mapped to."""

    rerun_at: int | None
    mapped_at: int | None


@dataclass
class Seen:
    """What was seen of one run in one epoch: the verdicts of its sensors, and when it was seen to wait no more."""

    epoch: Epoch
    verdicts: dict[datetime, list[Verdict]] = field(default_factory=dict)
    over_at: datetime | None = None


@dataclass
class Recall:
    """`look` after each step; `prove` whenever, best in the end."""

    world: World
    seen: dict[int, Seen] = field(default_factory=dict)
    high: datetime | None = None
    jumps: list[tuple[datetime, datetime]] = field(default_factory=list)
    """The times that came twice, since the clock was set back."""
    states: dict[tuple[str, datetime], dict[datetime, State]] = field(default_factory=lambda: defaultdict(dict))
    """Of each run, by flow and date: its state after all that happened at an instant."""
    causes: int = 0
    """How many root causes were proved."""

    def look(self) -> None:
        now = self.world.clock.now()
        if self.high and now < self.high:
            self.jumps.append((now, self.high))
        self.high = max(now, self.high or now)
        with self.world.db.transaction() as tx:
            waiting = []
            for run_id, flow, date, state, *epoch in tx.fetch(RUNS):
                self.states[flow, from_micros(date)][now] = State(state)
                one = self.seen.get(run_id)
                if one is None or one.epoch != Epoch(*epoch):
                    one = self.seen[run_id] = Seen(Epoch(*epoch))
                if state == State.WAITING:
                    waiting.append(run_id)
                else:
                    one.over_at = one.over_at or now
            flows = definitions(tx, load(tx), runs.by_id(tx, waiting).values())
            for run_id, standing in read_standings(tx, flows).items():
                self.seen[run_id].verdicts[now] = [one.verdict for one in standing]

    def prove(self) -> int:
        """AssertionError where a story says anything else than what was seen. Returns how many verdicts it was held
        to.
        """
        archive, number, ids = Archive(self.world.db, self.world.clock.now()), 0, sorted(self.seen)
        for start in range(0, len(ids), SLICE):
            found = [reads.by_id(self.world.db, run_id) for run_id in ids[start : start + SLICE]]
            for story in archive.tell([past.known(self.world.db, run) for run in found if run]):
                one = self.seen[story.run.id]
                if not self._is_ambiguous(story.begun_at, one.over_at):
                    number += self._compare(archive, story, one)
        return number

    def _prove_causes(self, archive: Archive, story: Story) -> None:
        """What is said to have ended a run was in that state then."""
        causes = find_past_causes(archive, story).found
        by_sensors = story.first is not None and story.first.reason in BY_SENSORS
        assert bool(causes) == by_sensors, f"{_name(story)}: {causes}"
        for cause in causes:
            seen, at = self.states.get((cause.flow, cause.logical_at), {}), cause.run and cause.run.finished_at
            if at and cause.run and not self._is_ambiguous(at, at):
                assert seen.get(at) is cause.run.state, f"{_name(story)}: {cause}, seen is {seen}"
                self.causes += 1

    def _is_ambiguous(self, since: datetime, over_at: datetime | None) -> bool:
        """Whether a wait goes through times that came twice."""
        until = over_at or self.world.clock.now()
        return any(since <= high and low <= until for low, high in self.jumps)

    def _compare(self, archive: Archive, story: Story, one: Seen) -> int:
        name = _name(story)
        assert story.waited_until == one.over_at, f"{name}: waited until {story.waited_until}, seen {one.over_at}"
        assert story.mapped_at == (from_micros(one.epoch.mapped_at) if one.epoch.mapped_at else None)
        if story.waited_until == (story.mapped_at or story.begun_at):  # all of it at one instant, in whatever order
            return 0
        self._prove_causes(archive, story)
        number = 0
        for at, verdicts in one.verdicts.items():
            if at == story.waited_until:  # seen in the middle of what happened then
                continue
            for sensor, verdict in zip(story.sensors, verdicts, strict=True):
                told = _at(sensor, at)
                assert verdict is told, f"{name}: at {at} sensor {sensor.sensor.index} was {verdict}, told is {told}"
                number += 1
        return number


def _name(story: Story) -> str:
    return f"{story.run.flow} {format_instant(story.run.logical_at)} ({story.run.state.label})"


def _at(sensor: SensorPast, at: datetime) -> Verdict:
    """What a story says of the sensor after all that happened at that instant."""
    return [turn.period.verdict for turn in sensor.turns if turn.period.since_at <= at][-1]
