"""Root causes, from conditions told by hand: long ways, circles, and more than can be looked at."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from sensord.cli import causes
from sensord.cli.causes import CauseKind, find_causes
from sensord.core.run import Kind, State
from sensord.store.reads.runs import Run
from sensord.store.reads.waits import Gate, Upstream

NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
NOON = datetime(2026, 11, 22, tzinfo=UTC)


def run(number: int, state: State = State.WAITING, reason: str | None = None) -> Run:
    """A run of the flow `f<number>`."""
    times = (NOW, None, None, None)
    return Run(number, number, f"f{number}", NOON, Kind.SCHEDULED, state, reason, None, 1, 0, 0, 1, *times)


def waits_for(waiting: Run, upstream: Run) -> Upstream:
    return Upstream(waiting.id, 0, upstream.flow, NOON, upstream.state, False, NOW, "", upstream)


def chain(length: int, last: Run) -> list[Upstream]:
    """f0 waits for f1, f1 for f2, and so on, and the last of them for `last`."""
    runs = [*(run(number) for number in range(length)), last]
    return [waits_for(one, other) for one, other in pairwise(runs)]


def test_the_way_to_a_cause_is_the_shortest() -> None:
    failed = run(9, State.FAILED)
    unmet = [*chain(3, failed), waits_for(run(0), run(2))]
    (cause,) = find_causes(run(0), unmet, [], NOW, complete=True).found
    assert (cause.flow, cause.kind) == ("f9", CauseKind.FAILED)
    assert [flow for flow, _ in cause.path] == ["f0", "f2"]


def test_a_chain_of_ten_thousand_runs_is_followed_to_its_end() -> None:
    (cause,) = find_causes(run(0), chain(10_000, run(10_000, State.FAILED)), [], NOW, complete=True).found
    assert len(cause.path) == 10_000


def test_a_circle_has_no_end_and_is_its_own_cause() -> None:
    unmet = [waits_for(run(0), run(1)), waits_for(run(1), run(2)), waits_for(run(2), run(1))]
    (cause,) = find_causes(run(0), unmet, [], NOW, complete=True).found
    assert cause.kind is CauseKind.CYCLE


def test_a_circle_beside_a_cause_that_ends_is_no_cause() -> None:
    unmet = [waits_for(run(0), run(1)), waits_for(run(1), run(0)), waits_for(run(1), run(2, State.RUNNING))]
    (cause,) = find_causes(run(0), unmet, [], NOW, complete=True).found
    assert (cause.kind, cause.flow) == (CauseKind.RUNNING, "f2")


def test_a_run_that_nothing_holds_is_about_to_be_released() -> None:
    (cause,) = find_causes(run(0), [waits_for(run(0), run(1))], [], NOW, complete=True).found
    assert (cause.kind, cause.flow, len(cause.path)) == (CauseKind.SETTLING, "f1", 1)


def test_a_sensor_that_maps_to_nothing_far_above_is_a_cause() -> None:
    gate = Gate(1, 0, 0, 0, 0, "no tick")
    (cause,) = find_causes(run(0), [waits_for(run(0), run(1))], [gate], NOW, complete=True).found
    assert (cause.kind, cause.flow, cause.words) == (CauseKind.NO_MATCH, "f1", "no tick")


def test_a_run_that_an_upstream_ended_is_followed_but_only_to_what_ended_it() -> None:
    ended = run(1, State.FAILED, "upstream_failed")
    unmet = [
        waits_for(run(0), ended),
        waits_for(ended, run(2, State.RUNNING)),
        waits_for(ended, run(3, State.FAILED)),
    ]
    (cause,) = find_causes(run(0), unmet, [], NOW, complete=True).found
    assert cause.flow == "f3"


def test_a_run_that_was_ended_by_an_upstream_that_is_mended_since_is_a_cause_itself() -> None:
    ended = run(1, State.FAILED, "upstream_failed")
    (cause,) = find_causes(run(0), [waits_for(run(0), ended)], [], NOW, complete=True).found
    assert (cause.flow, cause.kind, len(cause.path)) == ("f1", CauseKind.FAILED, 1)


def test_an_end_is_told_also_where_the_way_to_it_was_too_long_to_gather() -> None:
    unmet = [waits_for(run(7), run(9, State.FAILED)), waits_for(run(0), run(1))]
    found = find_causes(run(0), unmet, [], NOW, complete=False)
    (cause,) = found.found
    assert (cause.flow, [flow for flow, _ in cause.path]) == ("f9", ["f0"])
    assert not found.complete


def test_of_too_many_causes_those_that_a_person_must_mend_are_kept() -> None:
    running = [waits_for(run(0), run(number, State.RUNNING)) for number in range(1, causes.MOST + 1)]
    found = find_causes(run(0), [*running, waits_for(run(0), run(5000, State.FAILED))], [], NOW, complete=True)
    assert len(found.found) == causes.MOST
    assert found.found[0].kind is CauseKind.FAILED
    assert not found.complete


def test_ticks_to_come_late_ticks_and_missed_ones_are_told_apart() -> None:
    def tick(hours: int, state: State = State.ABSENT, held: str = "") -> Upstream:
        return Upstream(0, 0, "up", NOW + timedelta(hours=hours), state, False, NOW, held, None)

    unmet = [tick(1), tick(-1), tick(-2, State.SKIPPED), tick(2, held="paused"), tick(3, held="removed")]
    found = find_causes(run(0), unmet, [], NOW, complete=True).found
    assert [cause.kind.value for cause in found] == ["skipped", "removed", "paused", "late", "not_due"]
    assert found[0].words == "its tick passed without a run"
