"""The tables, as SQLModel: what a new migration is compared with. Queries are SQL text, elsewhere.

Ids are integers, instants microseconds since 1970, states the numbers of core.run. One writer decides, and a sweep
proves what it wrote; so the hot tables carry no foreign keys.
"""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, SmallInteger, Text, UniqueConstraint, text

from sensord.store.table import METADATA as METADATA
from sensord.store.table import Base, Instant, column, own_id
from sensord.store.worker_tables import Engine as Engine
from sensord.store.worker_tables import LogPart as LogPart
from sensord.store.worker_tables import Worker as Worker


class Flow(Base, table=True):
    """`planned_to`: every tick at or before it has a run or counts as missed. `state`: active, removed, retired.

    `pruned_to`: of runs at or before it, only the outcome is kept, but for those in `unpruned`. `failed_at`: when a run
    failed, so that its newest may have; NULL where it has not. Those that are not at rest have indexes of their own.
    """

    __tablename__: ClassVar[Any] = "flow"
    __table_args__ = (UniqueConstraint("name"),)

    id: int = own_id()
    name: str = column(Text)
    definition_id: int | None = column(BigInteger, null=True)
    state: int = column(SmallInteger)
    activated_at: int = column(Instant)
    removed_at: int | None = column(Instant, null=True)
    paused_at: int | None = column(Instant, null=True)
    planned_to: int = column(Instant)
    first_date: int | None = column(Instant, null=True)
    max_active: int = column(Integer)
    priority: int = column(Integer)
    pool: str | None = column(Text, null=True)
    pruned_to: int | None = column(Instant, null=True)
    failed_at: int | None = column(Instant, null=True)


_FAILED = text("failed_at IS NOT NULL")
Index("flow_failed", Flow.failed_at, Flow.id, postgresql_where=_FAILED, sqlite_where=_FAILED)  # type: ignore[arg-type] # columns, once mapped
_STOPPED = text("state <> 1 OR paused_at IS NOT NULL")
Index("flow_stopped", Flow.state, Flow.id, postgresql_where=_STOPPED, sqlite_where=_STOPPED)  # type: ignore[arg-type] # columns, once mapped


class Definition(Base, table=True):
    """One version of a flow: its canonical JSON, in force after `effective_at`."""

    __tablename__: ClassVar[Any] = "definition"
    __table_args__ = (UniqueConstraint("flow_id", "digest", "effective_at"), {"sqlite_autoincrement": True})

    id: int = own_id()
    flow_id: int = column(BigInteger)
    digest: str = column(Text)
    body: str = column(Text)
    schedule_digest: str = column(Text)
    effective_at: int = column(Instant)


class Run(Base, table=True):
    """One (flow, logical date). `pending` counts what a waiting run still waits for.

    `rerun_at`: when it was last sent back to waiting. `mapped_at`: when its sensors were last mapped anew as it waited,
    if they were. `stale_at`: when an upstream run that it had consumed was sent back.
    `keeps_definition`: it waits by its own definition, not by its flow's current one. `params`: JSON, those that a
    person gave. `passed_over`: JSON, what its sensors went on without.

    The unfinished have an index by state, and by flow within it. Half of each page is left free for new versions of its
    rows: counting then needs no new index entries.
    """

    __tablename__: ClassVar[Any] = "run"
    __table_args__ = (UniqueConstraint("flow_id", "logical_date"), {"postgresql_with": {"fillfactor": 50}})

    id: int = own_id()
    flow_id: int = column(BigInteger)
    logical_date: int = column(Instant)
    kind: int = column(SmallInteger)
    state: int = column(SmallInteger)
    reason: str | None = column(Text, null=True)
    message: str | None = column(Text, null=True)
    pending: int = column(Integer, default="0")
    attempt: int = column(Integer, default="0")
    retried_from: int = column(Integer, default="0")
    priority: int = column(Integer)
    definition_id: int = column(BigInteger)
    created_at: int = column(Instant)
    released_at: int | None = column(Instant, null=True)
    started_at: int | None = column(Instant, null=True)
    finished_at: int | None = column(Instant, null=True)
    rerun_at: int | None = column(Instant, null=True)
    stale_at: int | None = column(Instant, null=True)
    backfill_id: int | None = column(BigInteger, null=True)
    keeps_definition: int = column(SmallInteger, default="0")
    params: str | None = column(Text, null=True)
    passed_over: str | None = column(Text, null=True)
    mapped_at: int | None = column(Instant, null=True)


_UNFINISHED = text("state < 6")
Index("run_unfinished", Run.state, Run.flow_id, postgresql_where=_UNFINISHED, sqlite_where=_UNFINISHED)  # type: ignore[arg-type] # columns, once mapped
_FILLED = text("backfill_id IS NOT NULL")
Index("run_backfill", Run.backfill_id, Run.state, postgresql_where=_FILLED, sqlite_where=_FILLED)  # type: ignore[arg-type] # columns, once mapped


class Edge(Base, table=True):
    """A run waits, by one of its sensors, for one upstream run. The masks say which of its states count, or end."""

    __tablename__: ClassVar[Any] = "edge"
    __table_args__ = (Index("edge_run", "run_id"), {"sqlite_with_rowid": False})

    upstream_flow: int = column(BigInteger, key=True)
    upstream_date: int = column(Instant, key=True)
    run_id: int = column(BigInteger, key=True)
    sensor: int = column(SmallInteger, key=True)
    counts: int = column(Integer)
    ends: int = column(Integer)


class Gate(Base, table=True):
    """A sensor that is satisfied with `need` of its `mapped` runs, or mapped to nothing: `problem` says why.

    `timed_out`: its deadline has passed, and it goes on without what is missing: `need` is 0.
    """

    __tablename__: ClassVar[Any] = "gate"
    __table_args__: ClassVar[Any] = {"sqlite_with_rowid": False}

    run_id: int = column(BigInteger, key=True)
    sensor: int = column(SmallInteger, key=True)
    need: int = column(Integer)
    counted: int = column(Integer)
    mapped: int = column(Integer)
    problem: str | None = column(Text, null=True)
    timed_out: int = column(SmallInteger, default="0")


class Timer(Base, table=True):
    """Something that falls due for a run at an instant: a retry, a deadline. One that fits no more is passed over."""

    __tablename__: ClassVar[Any] = "timer"
    __table_args__ = (Index("timer_due", "due_at"),)

    run_id: int = column(BigInteger, key=True)
    what: int = column(SmallInteger, key=True)
    attempt: int = column(Integer)
    due_at: int = column(Instant)


class Attempt(Base, table=True):
    """One try at a run, as handed to an executor. `station`: the state folder that keeps its command.

    `queue`: where it waits for a worker, which claims it by writing its own host and station.
    """

    __tablename__: ClassVar[Any] = "attempt"

    run_id: int = column(BigInteger, key=True)
    number: int = column(Integer, key=True)
    definition_id: int = column(BigInteger)
    executor: str = column(Text)
    host: str = column(Text)
    submitted_at: int = column(Instant)
    began_at: int | None = column(Instant, null=True)
    pid: int | None = column(Integer, null=True)
    stopping: str | None = column(Text, null=True)
    station: str | None = column(Text, null=True)
    queue: str | None = column(Text, null=True)


class Outcome(Base, table=True):
    """How an attempt ended; the first to tell is believed."""

    __tablename__: ClassVar[Any] = "outcome"

    run_id: int = column(BigInteger, key=True)
    attempt: int = column(Integer, key=True)
    at: int = column(Instant)
    exit_code: int | None = column(Integer, null=True)
    signal: int | None = column(Integer, null=True)
    problem: str | None = column(Text, null=True)
    message: str | None = column(Text, null=True)


class Past(Base, table=True):
    """What was overwritten, and is not to be forgotten: `what` (of core.past) happened to a run, or to a tick without
    one. `state`, `since_at`, `reason`, `message`, `attempt`: of the final state that it left. Never changed.
    """

    __tablename__: ClassVar[Any] = "past"
    __table_args__ = (Index("past_of", "flow_id", "logical_date"),)

    id: int = own_id()
    flow_id: int = column(BigInteger)
    logical_date: int = column(Instant)
    at: int = column(Instant)
    what: int = column(SmallInteger)
    state: int | None = column(SmallInteger, null=True)
    since_at: int | None = column(Instant, null=True)
    reason: str | None = column(Text, null=True)
    message: str | None = column(Text, null=True)
    attempt: int | None = column(Integer, null=True)
    sensor: int | None = column(SmallInteger, null=True)
    need: int | None = column(Integer, null=True)
    who: str | None = column(Text, null=True)


class Request(Base, table=True):
    """What somebody asks of the leader, and its answer."""

    __tablename__: ClassVar[Any] = "request"
    __table_args__ = (UniqueConstraint("key"), {"sqlite_autoincrement": True})

    id: int = own_id()
    key: str = column(Text)
    kind: str = column(Text)
    body: str = column(Text)
    who: str = column(Text)
    created_at: int = column(Instant)
    answered_at: int | None = column(Instant, null=True)
    ok: int | None = column(SmallInteger, null=True)
    answer: str | None = column(Text, null=True)
    exit_code: int | None = column(SmallInteger, null=True)
    hint: str | None = column(Text, null=True)


_OPEN = text("answered_at IS NULL")
Index("request_open", Request.id, postgresql_where=_OPEN, sqlite_where=_OPEN)  # type: ignore[arg-type] # columns, once mapped


class Backfill(Base, table=True):
    """Ticks that somebody asked for. `state`: running, paused, cancelled, done. `rerun`: which ended runs, too.

    `upstream`: with all that its runs wait for. `finished_at`: nothing of it runs any more.
    """

    __tablename__: ClassVar[Any] = "backfill"
    __table_args__: ClassVar[Any] = {"sqlite_autoincrement": True}

    id: int = own_id()
    state: int = column(SmallInteger)
    who: str = column(Text)
    rerun: str | None = column(Text, null=True)
    upstream: int = column(SmallInteger, default="0")
    max_active: int | None = column(Integer, null=True)
    created_at: int = column(Instant)
    finished_at: int | None = column(Instant, null=True)


class BackfillFlow(Base, table=True):
    """The flow that a backfill is of (`position` 0), and then those downstream, each after what it waits for; among
    which dates its ticks are, and up to where they are planned.
    """

    __tablename__: ClassVar[Any] = "backfill_flow"

    backfill_id: int = column(BigInteger, key=True)
    position: int = column(Integer, key=True)
    flow_id: int = column(BigInteger)
    from_date: int = column(Instant)
    to_date: int = column(Instant)
    planned_to: int | None = column(Instant, null=True)


class Pool(Base, table=True):
    """Slots that the runs of some flows share, as sensord.toml has them."""

    __tablename__: ClassVar[Any] = "pool"

    name: str = column(Text, key=True)
    slots: int = column(Integer)


class Unpruned(Base, table=True):
    """A run at or before its flow's `pruned_to` of which more than the outcome is kept, and when to look at it."""

    __tablename__: ClassVar[Any] = "unpruned"
    __table_args__ = (Index("unpruned_look", "look_at"),)

    run_id: int = column(BigInteger, key=True)
    look_at: int = column(Instant)


class Leader(Base, table=True):
    """The one row of the daemon that leads, by the database's clock. `backend_pid` is the server process of the
    connection that decides, `heart_pid` that of the one that renews the lease.
    """

    __tablename__: ClassVar[Any] = "leader"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: int = column(SmallInteger, key=True)
    host: str = column(Text)
    pid: int = column(Integer)
    version: str = column(Text)
    term: int = column(BigInteger)
    started_at: int = column(Instant)
    expires_at: int = column(Instant)
    backend_pid: int | None = column(Integer, null=True)
    backend_at: int | None = column(Instant, null=True)
    station: str | None = column(Text, null=True)
    heart_pid: int | None = column(Integer, null=True)
    heart_at: int | None = column(Instant, null=True)


class Daemon(Base, table=True):
    """A daemon on PostgreSQL, leading or not, which supervises the commands of its station. `beat_at`: when it was last
    heard of, by the database's clock.
    """

    __tablename__: ClassVar[Any] = "daemon"

    id: str = column(Text, key=True)
    station: str = column(Text)
    host: str = column(Text)
    pid: int = column(Integer)
    version: str = column(Text)
    started_at: int = column(Instant)
    beat_at: int = column(Instant)
    has_left: int = column(SmallInteger, default="0")


class Problem(Base, table=True):
    """What is wrong in a config file, until it is mended."""

    __tablename__: ClassVar[Any] = "problem"

    file: str = column(Text, key=True)
    position: int = column(Integer, key=True)
    line: int | None = column(Integer, null=True)
    col: int | None = column(Integer, null=True)
    flow: str | None = column(Text, null=True)
    key: str | None = column(Text, null=True)
    message: str = column(Text)
    hint: str | None = column(Text, null=True)
    seen_at: int = column(Instant)
