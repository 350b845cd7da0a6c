"""What one side encodes the other decodes, whatever the strings; and attempts' ends survive their file."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensord.core.instant import from_micros
from sensord.executors import wire
from sensord.executors.base import Account, Attempt, Began, Ended, Job
from sensord.executors.ledger import format_end, parse_end, write_all

numbers = st.integers(min_value=0, max_value=2**63 - 1)
attempts = st.builds(Attempt, numbers, numbers)
instants = st.integers(min_value=0, max_value=4 * 10**15).map(from_micros)
texts = st.text(st.characters(), max_size=30)  # lone surrogates too: they stand for bytes that are not UTF-8
ids = st.integers(0, 2**32 - 1)
jobs = st.builds(
    Job,
    attempts,
    st.lists(texts, min_size=1, max_size=5).map(tuple),
    texts,
    st.dictionaries(texts, texts, max_size=5),
    st.none() | st.builds(Account, ids, ids, st.lists(ids, max_size=5).map(tuple)),
)
ends = st.one_of(
    st.builds(Ended, attempts, instants, exit_code=st.integers(0, 255)),
    st.builds(Ended, attempts, instants, signal=st.integers(1, 64)),
    st.builds(Ended, attempts, instants, problem=st.sampled_from(["lost", "not_started"]), message=texts),
)
reports = st.one_of(st.builds(Began, attempts, st.integers(1, 2**22), instants), ends)


@given(jobs)
def test_a_job_arrives_as_it_was(job: Job) -> None:
    line = wire.encode_job(job)

    assert line.count(b"\n") == 1
    assert wire.decode_job(wire.decode(line)) == job


@given(reports)
def test_a_report_arrives_as_it_was(report: Began | Ended) -> None:
    line = wire.encode_report(report)

    assert line.count(b"\n") == 1
    assert wire.decode_report(wire.decode(line)) == report


@given(ends)
def test_an_end_is_read_as_it_was_written(ended: Ended) -> None:
    assert parse_end(ended.attempt, format_end(ended)) == ended


@given(ends, st.data())
def test_a_part_of_an_end_is_none(ended: Ended, data: st.DataObject) -> None:
    text = format_end(ended)
    length = data.draw(st.integers(0, len(text) - 2))

    assert parse_end(ended.attempt, text[:length]) is None


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"at": "x"}', b'{"at": 1, "colour": "red"}', b"\xff"])
def test_what_is_no_end_is_none(text: bytes) -> None:
    assert parse_end(Attempt(1, 1), text) is None


def test_a_command_beyond_all_limits_is_sent_as_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "LONGEST_LINE", 1000)

    message = wire.decode(wire.encode_job(Job(Attempt(1, 1), ("x" * 2000,), "/", {})))

    assert message["what"] == "refuse"
    assert message["message"] == "x" * 200 + ": Argument list too long"


@pytest.mark.parametrize("end", ["", "{}", "nothing"])
def test_a_report_without_an_end_is_malformed(end: str) -> None:
    with pytest.raises(wire.Malformed, match="expected an end"):
        wire.decode_report(wire.decode(wire.encode("ended", Attempt(1, 1), end=end)))


def test_a_write_that_was_taken_in_part_is_an_error() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)

    with pytest.raises(OSError, match="No space left"):
        write_all(writer, b"x" * 1_000_000)

    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("ids", [[], [0], [0, "0"], [0, -1], [0, True], [0, 2**32], {"uid": 0}, 0, ""])
def test_whoever_cannot_be_read_is_nobody_else(ids: object) -> None:
    line = wire.encode("submit", Attempt(1, 1), argv=["true"], cwd="/", env={}, **{"as": ids})

    with pytest.raises(wire.Malformed, match="expected a list of two or more ids"):
        wire.decode_job(wire.decode(line))


def test_a_job_that_is_refused_is_no_command() -> None:
    message = wire.decode(wire.encode_job(Job(Attempt(1, 1), ("true",), "/", {}, refusal="not here")))

    assert (message["what"], message["message"]) == ("refuse", "not here")
    assert "argv" not in message
