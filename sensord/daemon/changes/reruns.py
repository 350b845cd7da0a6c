"""Rerun: a person has a run that has ended run again, alone or with all that had consumed it."""

from collections.abc import Mapping
from typing import Any

from sensord.core.queued import Hold
from sensord.core.run import FINAL, State
from sensord.daemon.again import send_back
from sensord.daemon.changes.change import Changed, asker, find_run, require_at_work, tell
from sensord.daemon.picture import Picture
from sensord.errors import InvalidValue
from sensord.store import backfills, reruns
from sensord.store.database import Transaction

MOST = 20_000
"""Runs that one rerun takes along at most: all in one transaction, for which everything else has to wait."""


def rerun(tx: Transaction, picture: Picture, body: Mapping[str, Any], now: int) -> Changed:
    """Send a run that has ended back to `waiting`, and map its sensors anew. Runs that wait for it wait again where it
    had counted; those that are queued or further go on, and are stale.

    downstream: what had consumed it goes back with it, as far as it has ended and its flow has its file.
    same_definition: each by its own definition. at_once: the run itself, but nothing that goes with it, passes over its
    sensors.
    """
    run, name = find_run(tx, body)
    require_at_work(picture.catalog.by_id[run.flow_id])
    if run.state not in FINAL:
        raise InvalidValue(f"expected a run that has ended, got {name} in {State(run.state).label}")
    ids, left = [run.run_id], 0
    if body.get("downstream"):
        ids, left = _reach(tx, picture, run.run_id, name)
    if any(filling.held for filling in picture.fillings.values()):
        backfills.let_go(tx, ids)
    at_once = {run.run_id} if body.get("at_once") else set()
    keep, who = bool(body.get("same_definition")), asker(body)
    sent = send_back(tx, picture.catalog, ids, now, who=who, keep=keep, at_once=at_once)
    text = tell(name, run, sent.settled)
    if len(ids) > 1:
        text += f", and {_count(len(ids) - 1)} downstream with it"
    stale = left if body.get("downstream") else sent.marked
    if stale:
        text += f"; {_count(stale)} that had consumed it {'is' if stale == 1 else 'are'} stale"
    return Changed(text, sent.settled)


def _reach(tx: Transaction, picture: Picture, run_id: int, name: str) -> tuple[list[int], int]:
    """The runs to send back, the first of them first; and how many had consumed one of them, but are left alone: they
    have not ended, or their flow's file is gone.
    """
    reached = reruns.reach(tx, run_id, MOST + 1)
    if len(reached) > MOST:
        hint = "rerun it alone, then what is stale, or a part of it with a backfill"
        raise InvalidValue(f"expected at most {MOST:,} runs downstream of {name}, got more", hint=hint)
    gone = {entry.id for entry in picture.catalog.by_id.values() if entry.hold is Hold.ALL}
    others = [one.run_id for one in reached if one.state in FINAL and one.flow_id not in gone and one.run_id != run_id]
    return [run_id, *others], len(reached) - 1 - len(others)


def _count(number: int) -> str:
    return "1 run" if number == 1 else f"{number:,} runs"
