"""How long a session on PostgreSQL waits for what another one has locked, and how long it may itself stand still within
a transaction: after that the server ends it, and lets go of what it had locked.

Any process may be stopped, or its machine frozen, within a transaction. The leader waits for longer than anybody else
may stand still, so it need not fail for them. All others give up after a moment, look who leads, and try again.
"""

from typing import NamedTuple

SET = """
SELECT set_config('lock_timeout', :lock, {0}), set_config('idle_in_transaction_session_timeout', :idle, {0})
"""
FOR_THE_SESSION = SET.format("false")
FOR_THE_TRANSACTION = SET.format("true")


class Bounds(NamedTuple):
    """Milliseconds. lock: what one statement waits for locks; idle: between two statements of a transaction."""

    lock: int
    idle: int

    @property
    def settings(self) -> dict[str, str]:
        """The parameters of the statements above."""
        return {"lock": f"{self.lock}ms", "idle": f"{self.idle}ms"}


ANYBODY = Bounds(lock=1_000, idle=5_000)
"""Stand-bys, workers, the command line, and the heart of the leader."""

TAKER = Bounds(lock=1_000, idle=2_000)
"""Who takes the lead has the leader's row meanwhile: if it stands still, others take it as soon as from a leader."""

LEADER = Bounds(lock=10_000, idle=60_000)
"""A decision may be thought over for as long; who takes the lead ends the old leader's sessions anyway."""

UPGRADE = Bounds(lock=60_000, idle=5_000)
"""Upgrades of the schema take turns, and wait for whoever reads."""
