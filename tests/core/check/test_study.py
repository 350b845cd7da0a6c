"""What the proof keeps for later, and how much of it."""

from dataclasses import dataclass

from sensord.core.check.study import Study, _Kept
from tests.core.mapping.timelines import at, cron


@dataclass
class Thing:
    name: str
    weight: int


class TestKept:
    def test_what_is_asked_for_again_is_not_made_again(self) -> None:
        kept: _Kept[Thing] = _Kept(10)
        first = kept.get("a", lambda: Thing("a", 4))
        assert kept.get("a", lambda: Thing("another", 4)) is first

    def test_the_longest_unused_goes_when_it_is_too_much(self) -> None:
        kept: _Kept[Thing] = _Kept(10)
        for name in ("a", "b", "c"):
            kept.get(name, lambda: Thing("old", 4))
        kept.get("b", lambda: Thing("new", 4))
        kept.get("d", lambda: Thing("new", 4))
        assert [kept.get(name, lambda: Thing("new", 0)).name for name in "bcda"] == ["old", "old", "new", "new"]

    def test_what_grows_while_it_is_worked_with_counts_as_it_is_then(self) -> None:
        kept: _Kept[Thing] = _Kept(10)
        kept.get("a", lambda: Thing("old", 1)).weight = 20
        kept.get("b", lambda: Thing("old", 1))
        assert kept.get("a", lambda: Thing("new", 1)).name == "new"
        assert kept.get("b", lambda: Thing("new", 1)).name == "old"

    def test_the_one_that_is_asked_for_is_kept_however_heavy(self) -> None:
        kept: _Kept[Thing] = _Kept(10)
        heavy = kept.get("a", lambda: Thing("heavy", 99))
        assert kept.get("a", lambda: Thing("new", 1)) is heavy


def test_the_dates_of_a_flow_are_made_once() -> None:
    study = Study(at("2025-01-01"), at("2025-02-01"))
    daily = cron("0 0 * * *")
    assert study.dates(daily, None) is study.dates(cron("0 0 * * *"), None)
    assert study.count(daily) == 32
