"""What a change is, and how it finds the flow or the run that its request speaks of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sensord.core.instant import format_instant, to_micros
from sensord.core.run import State
from sensord.daemon.alarms import Rung
from sensord.daemon.catalog import Entry
from sensord.daemon.picture import Picture
from sensord.daemon.settle import Settled
from sensord.errors import InvalidValue, NotFound
from sensord.store import runs
from sensord.store.database import Transaction
from sensord.store.runs import Live


@dataclass(slots=True)
class Changed:
    """What a change did: `left` are runs that left `queued` or `retrying` by it, as they were before."""

    text: str
    settled: Settled = field(default_factory=Settled)
    rung: Rung = field(default_factory=Rung)
    left: list[Live] = field(default_factory=list)


Change = Callable[[Transaction, Picture, Mapping[str, Any], int], Changed]
"""Applies a request's body at an instant (microseconds). NotFound or InvalidValue where it cannot be done."""


def find_entry(picture: Picture, body: Mapping[str, Any]) -> Entry:
    """The flow that `flow` of the body names; NotFound where there is none."""
    flow = str(body.get("flow"))
    entry = picture.catalog.by_name.get(flow)
    if entry is None:
        raise NotFound(f"expected a flow, got {flow!r}", hint="sensord flow list")
    return entry


def require_at_work(entry: Entry) -> None:
    """InvalidValue for a flow that has been retired: nothing of it starts any more."""
    if entry.retired:
        raise InvalidValue(
            f"expected a flow at work, got {entry.flow.name}, which is retired", hint="its file has to be there again"
        )


def find_run(tx: Transaction, body: Mapping[str, Any]) -> tuple[Live, str]:
    """The run of the body's `flow` and `logical_date`, and its name; NotFound where there is none."""
    flow, at = str(body.get("flow")), read_date(body)
    name = f"{flow} {format_instant(at)}"
    run = runs.find(tx, flow, to_micros(at))
    if run is None:
        raise NotFound(f"expected a run of {name}, got none", hint=f"sensord run list --flow {flow}")
    return run, name


def tell(name: str, run: Live, settled: Settled) -> str:
    """What has become of a run that began to wait: it waits, or is queued, or its sensors ended it at once."""
    ended = next((one for one in settled.concluded if one.run_id == run.run_id), None)
    if ended:
        return f"{name} is {State(ended.state).label} already, by its sensors' policies"
    return f"{name} is {'queued' if any(one.run_id == run.run_id for one in settled.released) else 'waiting'}"


def asker(body: Mapping[str, Any]) -> str:
    """Who asks for the change."""
    return str(body.get("who", "somebody"))


def read_date(body: Mapping[str, Any], key: str = "logical_date") -> datetime:
    """The instant that the body has under `key`; InvalidValue where that is none, or has no zone."""
    text = body.get(key)
    try:
        at = datetime.fromisoformat(str(text))
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass  # said below, as for a date without a zone
    raise InvalidValue(f"expected a logical date with its zone, got {text!r}")
