"""The flows of the chaos test, whose commands write down what they do; and what is to become of each, by arithmetic.

A command appends one line when it begins and one before it ends, each by one write. How it ends follows from its run
and attempt alone, so that what the store says can be compared with what must have been.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LEDGER = "ledger"
LEAF = "leaf/g"
"""The flow whose file is renamed again and again."""

SKIPPED = 99
_JOB = """\
echo "start $SENSORD_RUN_ID $SENSORD_ATTEMPT $(date +%s%N) $SENSORD_FLOW $SENSORD_LOGICAL_DATE" >> ledger
turn=$(((SENSORD_RUN_ID * 31 + SENSORD_ATTEMPT * 17) % 23))
code=0
case $turn in
0 | 1 | 2) code=1 ;;
3) code=99 ;;
4) kill -9 $$ ;;
5) sleep 4 ;;
6) code=7 ;;
7) sleep 1.5 ;;
*) sleep 0.$turn ;;
esac
echo "end $SENSORD_RUN_ID $SENSORD_ATTEMPT $(date +%s%N) $code" >> ledger
exit $code
"""


def end_of(run_id: int, attempt: int) -> tuple[int | None, int | None]:
    """The exit code, or the signal, with which the command ends where nobody interferes."""
    turn = (run_id * 31 + attempt * 17) % 23
    if turn == 4:
        return None, 9
    return {0: 1, 1: 1, 2: 1, 3: SKIPPED, 6: 7}.get(turn, 0), None


@dataclass(frozen=True, slots=True)
class Watch:
    """A sensor. `same`: the upstream's last tick at or before ours; `interval`: all of our data interval; `before`: our
    own last run. The policies name what becomes of a run that cannot be satisfied."""

    upstream: str
    match: str = "same"
    on_failure: str = "proceed"
    on_skipped: str = "proceed"


@dataclass(frozen=True, slots=True)
class Spec:
    """A flow: it ticks each `period` seconds, a divisor of 60."""

    name: str
    period: int
    retries: int = 0
    timeout: int | None = None
    watches: tuple[Watch, ...] = ()

    def text(self, begin: str, end: str, work: Path, *, edition: int = 0, start: bool = True) -> str:
        lines = [f'description = "edition {edition}"', "[schedule]", f'cron = "* * * * * */{self.period}"']
        lines += ["seconds = true", f"end = {end}"] + [f"start = {begin}"] * start
        lines += ["[run]", 'command = ["sh", "job.sh"]', f'cwd = "{work}"', "max_active = 3"]
        lines += [f"retries = {self.retries}", 'retry_delay = "1s"', f"priority = {edition % 3}"]
        lines += [f'timeout = "{self.timeout}s"\ngrace = "1s"'] * (self.timeout is not None)
        lines += [f'[run.env]\nEDITION = "{edition}"']
        for watch in self.watches:
            lines += ["[[sensors]]", f'upstream = "{watch.upstream}"', *_match(watch)]
            lines += [f'on_failure = "{watch.on_failure}"', f'on_skipped = "{watch.on_skipped}"']
        return "\n".join(lines) + "\n"


def _match(watch: Watch) -> list[str]:
    match watch.match:
        case "same":
            return ['match = "latest"']
        case "before":
            return ['match = "latest"', "back = 1"]
        case _:
            return ['match = "interval"']


FLOWS = (
    Spec("src/a", 1, retries=2),
    Spec("src/b", 5, retries=1),
    Spec("src/c", 3, timeout=2),
    Spec("mart/d", 2, watches=(Watch("src/a"), Watch("src/b"))),
    Spec("mart/e", 10, watches=(Watch("src/a", "interval"), Watch("src/c", "interval", on_failure="fail"))),
    Spec("end/f", 10, retries=1, watches=(Watch("mart/e", on_failure="skip"), Watch("end/f", "before"))),
    Spec(LEAF, 4, watches=(Watch("src/a", on_skipped="skip"),)),
)


def spec_of(name: str) -> Spec:
    """Also of a flow that LEAF was renamed to."""
    return next(spec for spec in FLOWS if spec.name == name or (spec.name == LEAF and name.startswith(LEAF)))


def mapped(spec: Spec, watch: Watch, date: int, begin: int) -> Iterator[int]:
    """The logical dates (seconds since 1970) that a run's sensor waits for; `begin` is the start of every flow."""
    period = spec_of(watch.upstream).period
    match watch.match:
        case "same":
            dates = range(date - date % period, date + 1, period)
        case "before":
            dates = range(date - period, date - period + 1)
        case _:
            dates = range(date - spec.period + 1, date + 1)
    return (one for one in dates if one % period == 0 and one >= begin)


def write_job(work: Path) -> None:
    (work / "job.sh").write_text(_JOB)
