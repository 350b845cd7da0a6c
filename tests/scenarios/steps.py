"""The words that the scenarios are written in: what is given, what happens, what is then. Each is a step on a stage.

Dates are of Sunday 22 November 2026, in UTC: "02:00", or with the day "23 02:00". Without one, a flow's newest run is
meant. A state may carry its reason: "failed (upstream_failed)"; `blocked` and `impossible` are waiting runs whose
verdict, as `sensord why` gives it, is that.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sensord.core.instant import format_instant
from sensord.core.run import State
from tests.cli.program import Program
from tests.daemon.world import World, at
from tests.simulation.audit import Audit

DAILY = '[schedule]\ncron = "0 2 * * *"\n{schedule}\n[run]\ncommand = ["true"]\n{run}\n'
NEXT = 'first = "next"'
HOURLY = DAILY.replace("0 2", "0 *")

_WORDS = re.compile(
    r"(?P<flow>\S+)(?: (?:(?P<day>\d\d) )?(?P<time>\d\d:\d\d))? (?P<state>\w+)(?: \((?P<reason>\w+)\))?"
)
_VERDICTS = ("blocked", "impossible")


@dataclass
class Stage:
    """Where a scenario is played: a daemon's world, and the command line as a person uses it."""

    world: World
    sensord: Program


Step = Callable[[Stage], object]


def given(now: str = "22 01:30", /, **flows: str) -> Step:
    """A daemon with these flows, started at `now` and not yet at work."""

    def play(stage: Stage) -> None:
        stage.sensord.meanwhile = stage.world.tick
        stage.world.clock.set(instant(now))
        for name, text in flows.items():
            stage.world.flow(name, text)
        stage.world.start()
        assert stage.world.db.fetch("SELECT flow, message FROM problem") == []

    return play


def settings(text: str) -> Step:
    """What sensord.toml says."""
    return lambda stage: (stage.world.folder / "sensord.toml").write_text(text)


def slots(number: int) -> Step:
    """How many commands may run at once."""

    def play(stage: Stage) -> None:
        stage.world.slots = number

    return play


def daily(*sensors: str, schedule: str = NEXT, run: str = "") -> str:
    """A flow at 02:00 every day, from its next tick on; more keys of its tables, and its sensors, as TOML."""
    return "\n".join([DAILY.format(schedule=schedule, run=run), *sensors])


def hourly(*sensors: str, schedule: str = NEXT, run: str = "") -> str:
    """A flow at every full hour."""
    return "\n".join([HOURLY.format(schedule=schedule, run=run), *sensors])


def tick(time: str) -> Step:
    """The clock is set, and the daemon does all that there is to do."""
    return lambda stage: stage.world.tick(format_instant(instant(time))[:-1])


def leap(time: str) -> Step:
    """The clock is set while the daemon does nothing."""
    return lambda stage: stage.world.clock.set(instant(time))


def succeeds(flow: str, *times: str) -> Step:
    return exits(flow, 0, *times)


def fails(flow: str, *times: str) -> Step:
    return exits(flow, 1, *times)


def skips(flow: str, *times: str) -> Step:
    """Its command says that there is nothing to do."""
    return exits(flow, 99, *times)


def exits(flow: str, code: int, *times: str) -> Step:
    """The commands of the flow's runs end, of its newest run unless told otherwise."""

    def play(stage: Stage) -> None:
        for time in times or [_newest(stage, flow)]:
            stage.world.end(flow, format_instant(instant(time))[:-1], code)
        stage.world.tick()

    return play


def dies(flow: str, **how: int | str) -> Step:
    """The command of its newest run ends otherwise than by exiting: by a `signal`, or with a `problem`."""

    def play(stage: Stage) -> None:
        attempt = stage.world.attempt(flow, format_instant(instant(_newest(stage, flow)))[:-1])
        stage.world.executor.end(attempt, None, **how)
        stage.world.tick()

    return play


def end_at_once(**codes: int) -> Step:
    """The commands of several flows' newest runs end, and the daemon hears of them in one turn."""

    def play(stage: Stage) -> None:
        for flow, code in codes.items():
            stage.world.end(flow, format_instant(instant(_newest(stage, flow)))[:-1], code)
        stage.world.tick()

    return play


def all_succeed(flow: str) -> Step:
    """Whatever the flow has under way, and comes to have, succeeds."""

    def play(stage: Stage) -> None:
        world = stage.world
        world.tick()
        while mine := [one for one in world.executor.running if world.executor.jobs[one].env["SENSORD_FLOW"] == flow]:
            for attempt in mine:
                world.executor.end(attempt)
            world.tick()

    return play


def types(line: str) -> Step:
    """An operator types a command; dates are short as everywhere. It succeeds."""

    def play(stage: Stage) -> None:
        said = stage.sensord(*map(_long, _words(line)))
        assert said.code == 0, f"{line}: {said.err}"
        stage.world.tick()

    return play


def says(line: str, text: str) -> Step:
    """A person types a command, and reads this in what it prints."""

    def play(stage: Stage) -> None:
        said = stage.sensord(*map(_long, _words(line)))
        assert (said.code, text in said.out) == (0, True), said.out + said.err

    return play


def is_refused(line: str, why: str, code: int = 1) -> Step:
    """An operator types a command, and is told why it cannot be done; nothing changes."""

    def play(stage: Stage) -> None:
        before = stage.world.db.fetch("SELECT id, state, pending, attempt FROM run ORDER BY id")
        said = stage.sensord(*map(_long, _words(line)))
        assert (said.code, why in said.err) == (code, True), said.err
        assert stage.world.db.fetch("SELECT id, state, pending, attempt FROM run ORDER BY id") == before

    return play


def reload(*removed: str, **flows: str) -> Step:
    """Files are written and removed, a second later than what was before, and the daemon takes them."""

    def play(stage: Stage) -> None:
        stage.world.clock.move(timedelta(seconds=1))
        for name in removed:
            stage.world.remove(name)
        for name, text in flows.items():
            stage.world.flow(name, text)
        stage.world.daemon.reload()
        stage.world.tick()

    return play


def restart() -> Step:
    """The daemon dies, and another one starts."""

    def play(stage: Stage) -> None:
        stage.world.restart()
        stage.world.tick()

    return play


def then(*expected: str) -> Step:
    """How runs stand: "flow [[day] time] state [(reason)]"."""

    def play(stage: Stage) -> None:
        found = [_see(stage, words) for words in expected]
        assert found == list(expected)

    return play


def handed(flow: str, time: str, *texts: str) -> Step:
    """The run's command was handed these texts among what it is told of its upstream runs."""

    def play(stage: Stage) -> None:
        told = stage.world.job(flow, format_instant(instant(time))[:-1]).env["SENSORD_UPSTREAM"]
        assert [text for text in texts if text not in told] == [], told

    return play


def executes(flow: str, time: str, *argv: str) -> Step:
    """The run's last attempt was started with this command."""
    return lambda stage: _compare(stage.world.job(flow, format_instant(instant(time))[:-1]).argv, argv)


def runs(flow: str, *times: str) -> Step:
    """The flow has runs at these dates, and no others."""

    def play(stage: Stage) -> None:
        assert list(stage.world.runs(flow)) == [format_instant(instant(time))[:-4] for time in times]

    return play


def perform(stage: Stage, steps: tuple[Step, ...]) -> None:
    """Play a scenario: after every step the books have to balance."""
    audit = Audit(stage.world)
    for step in steps:
        step(stage)
        audit.look()


def _compare(found: object, expected: object) -> None:
    assert found == expected


def instant(time: str) -> datetime:
    """Of a short date."""
    return at(_iso(time))


def _iso(time: str) -> str:
    day, clock = time.split() if " " in time else ("22", time)
    return f"2026-11-{day}T{clock}"


def _words(line: str) -> list[str]:
    """Of a command; a short date is one word, also with its day."""
    return re.findall(r"\d\d \d\d:\d\d|\S+", line)


def _long(word: str) -> str:
    return f"{_iso(word)}Z" if re.fullmatch(r"(\d\d )?\d\d:\d\d", word) else word


def _newest(stage: Stage, flow: str) -> str:
    newest = max(stage.world.runs(flow))
    return f"{newest[8:10]} {newest[11:16]}"


def _see(stage: Stage, words: str) -> str:
    """What `words` say, as it is."""
    match = _WORDS.fullmatch(words)
    assert match, words
    flow, reason = match["flow"], match["reason"]
    time = f"{match['day'] or '22'} {match['time']}" if match["time"] else _newest(stage, flow)
    date = _iso(time)
    state = stage.world.state(flow, date)
    label = state.label
    if match["state"] in _VERDICTS and state is State.WAITING:
        label = stage.sensord("why", flow, f"{date}Z", "--json").json["verdict"]
    found = words[: match.start("state")] + label
    if reason and state is not State.ABSENT:
        found += f" ({stage.world.why(flow, date)[0]})"
    return found
