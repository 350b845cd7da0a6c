"""The bench measures what it says, and writes it down. How fast anything is, no test asserts."""

import json
from pathlib import Path

import pytest

from bench import proof, settle
from bench.__main__ import PARTS, main
from bench.figures import FLAT, Figure, at_most, median_seconds, rate, share, show, write
from sensord.core.check import prove

FIGURES = [Figure("ticks", 50.0, "ticks/s", 25.0, "croniter", share(3)), Figure("memory", 12.5, "MB")]


def test_a_figure_stands_beside_its_floor() -> None:
    assert [figure.ratio for figure in FIGURES] == [2.0, None]
    assert Figure("CPU of a command", 50.0, "ms", 0.0, "bare Python").ratio is None


@pytest.mark.parametrize(
    ("figure", "met"),
    [
        (Figure("a", 9.0, "ms", target=at_most(10, "ms")), True),
        (Figure("a", 11.0, "ms", target=at_most(10, "ms")), False),
        (Figure("a", 60.0, "runs/s", 100.0, "bare", share(0.5)), True),
        (Figure("a", 40.0, "runs/s", 100.0, "bare", share(0.5)), False),
        (Figure("a", 12.0, "ms", 10.0, "smallest", FLAT), True),
        (Figure("a", 13.0, "ms", 10.0, "smallest", FLAT), False),
        (Figure("a", 13.0, "ms", 10.0, "smallest"), None),
    ],
)
def test_a_target_is_met_or_not(figure: Figure, *, met: bool | None) -> None:
    assert figure.met is met


def test_the_first_call_is_not_counted() -> None:
    calls: list[int] = []

    assert median_seconds(lambda: calls.append(1), rounds=3) >= 0
    assert len(calls) == 4
    assert rate(10, lambda: calls.append(1), rounds=1) > 0


def test_figures_are_shown_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show(FIGURES)
    write(FIGURES, tmp_path / "new" / "results.json")

    shown = capsys.readouterr().out
    assert "50 ticks/s" in shown
    assert "25 (croniter)" in shown
    assert "1 targets, 1 missed" in shown
    assert ">= 300 % of the floor" in shown
    rows = json.loads((tmp_path / "new" / "results.json").read_text())["figures"]
    assert [row["name"] for row in rows] == ["ticks", "memory"]
    assert rows[0]["ratio"] == 2.0


def test_the_generated_flows_are_many_and_fit_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "FLOWS", 40)
    flows = proof.make_plain()

    assert len(flows) == 40
    assert {len(flow.sensors) for flow in flows[3:]} == {3}
    assert [finding for finding in prove(flows, proof.SINCE, proof.SINCE) if finding.severity == "error"] == []


def test_the_mixed_flows_are_of_all_kinds_and_have_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "FLOWS", 200)
    flows = proof.make_mixed()

    sensors = [sensor for flow in flows for sensor in flow.sensors]
    assert {sensor.mapping for sensor in sensors} == set(proof.MIXED_MAPPINGS)
    assert len({flow.timeline for flow in flows}) > 50
    faulty = {(finding.flow, finding.sensor_index) for finding in prove(flows, proof.SINCE, proof.SINCE + proof.YEAR)}
    assert len(sensors) / 10 < len(faulty) < len(sensors) / 2


def test_each_part_yields_figures() -> None:
    assert list(PARTS)[:3] == ["ticks", "mappings", "proof"]
    assert all(figure.value > 0 for figure in PARTS["mappings"](True))


def test_the_real_daemon_runs_what_is_measured_end_to_end() -> None:
    rate, cpu, keeper = PARTS["endtoend"](True)

    assert rate.ratio
    assert rate.ratio > 0
    assert cpu.value >= 0
    assert keeper.ratio is not None


def test_releases_are_counted_in_a_burst_and_one_by_one() -> None:
    found = {figure.name: figure.value for figure in PARTS["releases"](True)}

    assert 0 < found["statements a run, burst, SQLite FULL"] < found["statements a run, one by one, SQLite FULL"]
    assert found["statements of an idle turn, SQLite FULL"] == 1


def test_settle_is_measured_beside_the_bare_statement() -> None:
    figures = list(PARTS["settle"](True))

    assert [figure.name.split(",")[1] for figure in figures] == [f" batches of {size}" for size in settle.BATCHES]
    assert all(figure.ratio for figure in figures)


def test_growth_is_measured_by_history_and_by_flows() -> None:
    figures = list(PARTS["growth"](True))

    assert len(figures) == 4 * (2 + 2)
    assert sum(figure.target is not None for figure in figures) == 3 + 4
    assert all(figure.value > 0 and figure.floor for figure in figures)


def test_an_unknown_part_is_refused() -> None:
    with pytest.raises(SystemExit, match=r"expected some of ticks, .*, got speed"):
        main(["speed"])
