"""The SQL by which attempts travel to workers: enqueued with Procrastinate where they are dispatched, and taken by one.

Both happen in one transaction with what they mean in our own tables, so no attempt is ever dispatched but not enqueued,
or taken but not claimed. The functions are Procrastinate's own, by their versioned names. A job goes when it is taken:
what becomes of the attempt is ours to know. PostgreSQL only.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sensord.store.database import Transaction

TASK = "sensord"
CHANNEL = "procrastinate_queue_v1#{}"
"""Where Procrastinate tells that something was enqueued."""


class Carried(NamedTuple):
    """An attempt on its way to a worker."""

    run_id: int
    number: int
    definition_id: int
    priority: int
    queue: str


SUBMIT = """
INSERT INTO attempt (run_id, number, definition_id, executor, host, queue, submitted_at)
SELECT x.run_id, x.number, x.definition_id, 'procrastinate', '', x.queue, :now
FROM ROWS(:attempts, run_id, number, definition_id, priority, queue text) x
ON CONFLICT (run_id, number) DO NOTHING
"""

DEFER = f"""
SELECT COALESCE(array_length(procrastinate_defer_jobs_v1(ARRAY(
    SELECT CAST(ROW(x.queue, '{TASK}', x.priority, NULL, NULL,
                    jsonb_build_object('run', x.run_id, 'attempt', x.number), NULL) AS procrastinate_job_to_defer_v1)
    FROM ROWS(:attempts, run_id, number, definition_id, priority, queue text) x
)), 1), 0)
"""


def enqueue(tx: Transaction, attempts: Sequence[Carried], now: int) -> None:
    """Make these attempts, and a job for each; whoever waits at their queues is told when this is committed."""
    tx.run(SUBMIT, attempts=attempts, now=now)
    tx.fetch(DEFER, attempts=attempts)


# A call for each job that is there, and one more where they are fewer: not one for each free slot.
TAKE = """
WITH RECURSIVE taken (job, calls) AS (
    SELECT procrastinate_fetch_job_v2(ARRAY[CAST(:queue AS varchar)], NULL), 1
    UNION ALL
    SELECT procrastinate_fetch_job_v2(ARRAY[CAST(:queue AS varchar)], NULL), calls + 1
    FROM taken WHERE (job).id IS NOT NULL AND calls < CAST(:most AS integer)
)
SELECT (job).id, CAST((job).args ->> 'run' AS bigint), CAST((job).args ->> 'attempt' AS bigint)
FROM taken WHERE (job).id IS NOT NULL
"""

FINISH = """
SELECT COUNT(procrastinate_finish_job_v1(x.job, 'succeeded', true)) FROM ROWS(:jobs, job) x
"""

CLAIM = """
UPDATE attempt SET station = :station, host = :host
FROM ROWS(:attempts, run_id, number) x
JOIN run ON run.id = x.run_id AND run.attempt = x.number AND run.state + 0 = 3
WHERE attempt.run_id = x.run_id AND attempt.number = x.number AND attempt.queue IS NOT NULL AND attempt.station IS NULL
RETURNING """


def take(
    tx: Transaction, queue: str, most: int, *, station: str, host: str, columns: str
) -> tuple[int, list[tuple[Any, ...]]]:
    """Take at most so many jobs, the most urgent first, and claim their attempts for a station. How many jobs there
    were, and these `columns` of the runs that are the station's now: a job whose attempt is not to be started any more
    is dropped.
    """
    jobs = tx.fetch(TAKE, queue=queue, most=most)
    if not jobs:
        return 0, []
    tx.fetch(FINISH, jobs=[(job,) for job, _, _ in jobs])
    attempts = sorted((run_id, number) for _, run_id, number in jobs)
    return len(jobs), tx.fetch(CLAIM + columns, attempts=attempts, station=station, host=host)


REVOKE = """
WITH taken AS (
    UPDATE attempt SET station = ''
    FROM ROWS(:attempts, run_id, number, reason text) x
    WHERE attempt.run_id = x.run_id AND attempt.number = x.number
      AND attempt.queue IS NOT NULL AND attempt.station IS NULL
    RETURNING attempt.run_id, attempt.number
)
INSERT INTO outcome (run_id, attempt, at, problem, message)
SELECT run_id, number, :now, 'not_started', 'no worker had taken it yet' FROM taken
ON CONFLICT (run_id, attempt) DO NOTHING
"""


def revoke(tx: Transaction, attempts: Sequence[tuple[int, int, str]], now: int) -> None:
    """Of these attempts, end those that no worker has claimed: none will."""
    tx.run(REVOKE, attempts=attempts, now=now)
