"""`sensord graph`: which flow waits for which, as text, JSON, Mermaid, DOT and SVG."""

import re
from xml.etree import ElementTree

import pytest

from tests.cli.program import Program, write
from tests.daemon.world import DAILY, HOURLY, on

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def mart(on_files: Program) -> Program:
    """sales hangs on orders and customers; top and report on sales, report also on customers and on itself."""
    write(on_files, "dim/customers", DAILY)
    write(on_files, "ingest/orders", HOURLY)
    write(on_files, "mart/sales", HOURLY, on("ingest/orders"), on("dim/customers"))
    write(on_files, "mart/top", 'description = "The <ten> best"\n', DAILY, on("mart/sales", match="same"))
    write(
        on_files,
        "report",
        HOURLY,
        on("mart/sales", match="interval", within="1d"),
        on("mart/sales", back=1),
        on("dim/customers"),
        on("report", back=1),
    )
    return on_files


def test_all_flows_are_told_from_their_roots_down_each_once_in_full(mart: Program) -> None:
    said = mart("graph")
    assert (said.code, said.err) == (0, "")
    assert said.lines == [
        "dim/customers",
        "├─ mart/sales  latest",
        "│  ├─ mart/top  same",
        "│  └─ report  interval, latest",
        "│     └─ itself  latest",
        "└─ report  latest  (above)",
        "ingest/orders",
        "└─ mart/sales  latest  (above)",
    ]


def test_around_one_flow_it_says_what_that_waits_for_and_what_waits_for_it(mart: Program) -> None:
    assert mart("graph", "mart/sales").lines == [
        "mart/sales",
        "waits for",
        "├─ dim/customers  latest",
        "└─ ingest/orders  latest",
        "waited for by",
        "├─ mart/top  same",
        "└─ report  interval, latest",
        "   └─ itself  latest",
    ]


def test_steps_are_counted_from_the_flow(mart: Program) -> None:
    assert mart("graph", "mart/top", "--up", "1").lines == [
        "mart/top",
        "waits for",
        "└─ mart/sales  same",
        "waited for by no other flow",
    ]


def test_steps_without_a_flow_make_no_sense(mart: Program) -> None:
    said = mart("graph", "--up", "1")
    assert (said.code, said.out) == (2, "")
    assert "--up and --down count from a flow" in said.err


def test_a_flow_that_is_not_there_is_an_error_with_a_proposal(mart: Program) -> None:
    said = mart("graph", "mart/slaes")
    assert (said.code, said.err) == (4, "error: no flow named 'mart/slaes'\nhint: did you mean \"mart/sales\"?\n")


def test_an_upstream_that_is_not_there_is_marked_and_the_problem_counted(mart: Program) -> None:
    write(mart, "lost", DAILY, on("nowhere"))
    said = mart("graph", "lost")
    assert said.lines[1:3] == ["waits for", "└─ nowhere  latest  no such flow"]
    assert said.err == "1 problem in the files; `sensord check` has them\n"


def test_an_upstream_whose_file_has_errors_is_no_flow_that_is_not_there(mart: Program) -> None:
    write(mart, "wrong", "[schedule]\ncron = 5\n")
    write(mart, "lost", DAILY, on("wrong"))
    assert mart("graph", "lost").lines[1:3] == ["waits for", "└─ wrong  latest  its file has errors"]
    assert {"flow": "wrong", "known": True} in mart("graph", "lost", "--json").json["flows"]


def test_the_graph_as_json(mart: Program) -> None:
    write(mart, "lost", DAILY, on("nowhere"))
    shown = mart("graph", "--json").json
    assert shown["flow"] is None
    assert {one["flow"]: one["known"] for one in shown["flows"]} == {
        **dict.fromkeys(("dim/customers", "ingest/orders", "lost", "mart/sales", "mart/top", "report"), True),
        "nowhere": False,
    }
    assert {"upstream": "mart/sales", "downstream": "report", "matches": ["interval", "latest"]} in shown["links"]
    assert mart("graph", "mart/top", "--up", "0", "--json").json == {
        "flow": "mart/top",
        "flows": [{"flow": "mart/top", "known": True}],
        "links": [],
    }


def test_the_graph_as_mermaid(mart: Program) -> None:
    assert mart("graph", "mart/sales", "--down", "0", "--format", "mermaid").lines == [
        "flowchart LR",
        '    n0["dim/customers"]',
        '    n1["ingest/orders"]',
        '    n2["mart/sales"]',
        '    n0 -->|"latest"| n2',
        '    n1 -->|"latest"| n2',
        "    style n2 stroke-width:3px",
    ]


def test_the_graph_as_dot(mart: Program) -> None:
    assert mart("graph", "mart/top", "--up", "1", "--format", "dot").lines == [
        "digraph sensord {",
        "    rankdir=LR;",
        '    node [shape=box, fontname="monospace"];',
        '    "mart/sales";',
        '    "mart/top" [penwidth=3];',
        '    "mart/sales" -> "mart/top" [label="same"];',
        "}",
    ]


@pytest.mark.parametrize("form", ["mermaid", "dot", "svg"])
def test_no_name_can_break_out_of_its_place(on_files: Program, form: str) -> None:
    write(on_files, "lost", DAILY, "[[sensors]]\nupstream = '''a\"]; <b>\\ \u202e'''\n")
    out = on_files("graph", "--format", form).out
    assert "\u202e" not in out
    if form == "mermaid":
        assert '["a#34;#93;#59; #60;b#62;#92; #92;u202e"]' in out
    elif form == "dot":
        assert r'"a\"]; <b>\\ \\u202e"' in out
    else:
        assert "<b>" not in out
        assert ElementTree.fromstring(out).tag == f"{SVG}svg"


def test_the_picture_has_a_box_for_each_flow_and_a_line_for_each_link(mart: Program) -> None:
    picture = ElementTree.fromstring(mart("graph", "mart/sales", "--format", "svg").out)
    boxes = {group.findtext(f"{SVG}text"): group for group in picture.iter(f"{SVG}g")}
    assert set(boxes) == {"dim/customers", "ingest/orders", "mart/sales", "mart/top", "report"}
    assert boxes["mart/top"].findtext(f"{SVG}title") == "mart/top: The <ten> best: cron 0 2 * * *"
    assert boxes["mart/sales"].get("class") == "own"
    lines = {path.findtext(f"{SVG}title"): path for path in picture.findall(f"{SVG}path")}
    assert "report waits for mart/sales: interval, latest" in lines
    assert lines["report waits for report: latest"].get("class") == "back"
    assert len(lines) == 6


def test_the_picture_holds_all_that_is_in_it(mart: Program) -> None:
    write(mart, "alone", HOURLY, on("alone", back=1))
    picture = ElementTree.fromstring(mart("graph", "--format", "svg").out)
    left, top, width, height = map(float, picture.get("viewBox", "").split())
    for path in picture.findall(f"{SVG}path"):
        points = re.findall(r"(-?[\d.]+) (-?[\d.]+)", path.get("d", ""))
        assert all(left <= float(x) <= left + width and top <= float(y) <= height for x, y in points)


def test_a_folder_without_flows_draws_nothing(on_files: Program) -> None:
    assert on_files("graph").out == ""
    assert ElementTree.fromstring(on_files("graph", "--format", "svg").out).tag == f"{SVG}svg"
