"""Where in the state folder's `runs` an attempt is kept: for the keeper that writes there, and for who reads logs.

A hundred runs share a folder, since a folder for each would cost more than the rest of an attempt.
"""

SHARED_BY = 100


def folder_of(run_id: int) -> str:
    """The folder of a run, relative to `runs`."""
    return str(run_id // SHARED_BY)


def log_of(run_id: int, number: int) -> str:
    """The log of an attempt, relative to `runs`."""
    return f"{run_id // SHARED_BY}/{run_id}.{number}.log"
