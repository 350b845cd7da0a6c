"""What people change: each change is one transaction of the lead. The requests of the command line name them."""

from collections.abc import Mapping

from sensord.daemon.changes import backfills, flows, manual, reruns, runs
from sensord.daemon.changes.change import Change as Change
from sensord.daemon.changes.change import Changed as Changed

CHANGES: Mapping[str, Change] = {
    "rerun": reruns.rerun,
    "cancel": runs.cancel,
    "mark": runs.mark,
    "trigger": manual.trigger,
    "pause": flows.pause,
    "resume": flows.resume,
    "retire": flows.retire,
    "backfill": backfills.begin,
    "pause_backfill": backfills.pause,
    "resume_backfill": backfills.resume,
    "cancel_backfill": backfills.cancel,
}
