"""The tables, as SQLModel: what a new migration is compared with. Queries are SQL text, elsewhere.

Ids are integers, instants microseconds since 1970, states the numbers of core.run. One writer decides, and a sweep
proves what it wrote; so the hot tables carry no foreign keys.
"""

from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

NAMES = {
    "pk": "%(table_name)s_pkey",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    "ck": "%(table_name)s_%(constraint_name)s_check",
}
Instant = BigInteger
Id = BigInteger().with_variant(Integer(), "sqlite")  # only an INTEGER is SQLite's own row id


class Base(SQLModel, registry=registry(metadata=MetaData(naming_convention=NAMES))):
    """The tables of sensord, apart from all others that may be defined in this process."""


METADATA = Base.metadata


def _id() -> Any:
    return Field(default=None, sa_column=Column("id", Id, Identity(), primary_key=True))


def _column(kind: Any, *, key: bool = False, null: bool = False, default: str | None = None) -> Any:
    given: dict[str, Any] = {} if default is None else {"server_default": text(default)}
    if key:
        given["autoincrement"] = False
    return Field(sa_type=kind, primary_key=key, nullable=null, sa_column_kwargs=given)


class Flow(Base, table=True):
    """`planned_to`: every tick at or before it has a run or counts as missed. `state`: active, removed, retired.

    `pruned_to`: of runs at or before it, only the outcome is kept, but for those in `unpruned`.
    """

    __tablename__: ClassVar[Any] = "flow"
    __table_args__ = (UniqueConstraint("name"),)

    id: int = _id()
    name: str = _column(Text)
    definition_id: int | None = _column(BigInteger, null=True)
    state: int = _column(SmallInteger)
    activated_at: int = _column(Instant)
    removed_at: int | None = _column(Instant, null=True)
    paused_at: int | None = _column(Instant, null=True)
    planned_to: int = _column(Instant)
    first_date: int | None = _column(Instant, null=True)
    max_active: int = _column(Integer)
    priority: int = _column(Integer)
    pool: str | None = _column(Text, null=True)
    pruned_to: int | None = _column(Instant, null=True)


class Definition(Base, table=True):
    """One version of a flow: its canonical JSON, in force after `effective_at`."""

    __tablename__: ClassVar[Any] = "definition"
    __table_args__ = (UniqueConstraint("flow_id", "digest", "effective_at"), {"sqlite_autoincrement": True})

    id: int = _id()
    flow_id: int = _column(BigInteger)
    digest: str = _column(Text)
    body: str = _column(Text)
    schedule_digest: str = _column(Text)
    effective_at: int = _column(Instant)


class Run(Base, table=True):
    """One (flow, logical date). `pending` counts what a waiting run still waits for.

    `rerun_at`: when it was last sent back to waiting. `mapped_at`: when its sensors were last mapped anew as it waited,
    if they were. `stale_at`: when an upstream run that it had consumed was sent back.
    `keeps_definition`: it waits by its own definition, not by its flow's current one. `params`: JSON, those that a
    person gave. `passed_over`: JSON, what its sensors went on without.

    Half of each page is left free for new versions of its rows: counting then needs no new index entries.
    """

    __tablename__: ClassVar[Any] = "run"
    __table_args__ = (UniqueConstraint("flow_id", "logical_date"), {"postgresql_with": {"fillfactor": 50}})

    id: int = _id()
    flow_id: int = _column(BigInteger)
    logical_date: int = _column(Instant)
    kind: int = _column(SmallInteger)
    state: int = _column(SmallInteger)
    reason: str | None = _column(Text, null=True)
    message: str | None = _column(Text, null=True)
    pending: int = _column(Integer, default="0")
    attempt: int = _column(Integer, default="0")
    retried_from: int = _column(Integer, default="0")
    priority: int = _column(Integer)
    definition_id: int = _column(BigInteger)
    created_at: int = _column(Instant)
    released_at: int | None = _column(Instant, null=True)
    started_at: int | None = _column(Instant, null=True)
    finished_at: int | None = _column(Instant, null=True)
    rerun_at: int | None = _column(Instant, null=True)
    stale_at: int | None = _column(Instant, null=True)
    backfill_id: int | None = _column(BigInteger, null=True)
    keeps_definition: int = _column(SmallInteger, default="0")
    params: str | None = _column(Text, null=True)
    passed_over: str | None = _column(Text, null=True)
    mapped_at: int | None = _column(Instant, null=True)


_LIVE = text("state IN (2, 3, 4, 5)")  # queued, starting, running, retrying
Index("run_live", Run.flow_id, Run.state, postgresql_where=_LIVE, sqlite_where=_LIVE)  # type: ignore[arg-type] # columns, once mapped
_FILLED = text("backfill_id IS NOT NULL")
Index("run_backfill", Run.backfill_id, Run.state, postgresql_where=_FILLED, sqlite_where=_FILLED)  # type: ignore[arg-type] # columns, once mapped


class Edge(Base, table=True):
    """A run waits, by one of its sensors, for one upstream run. The masks say which of its states count, or end."""

    __tablename__: ClassVar[Any] = "edge"
    __table_args__ = (Index("edge_run", "run_id"), {"sqlite_with_rowid": False})

    upstream_flow: int = _column(BigInteger, key=True)
    upstream_date: int = _column(Instant, key=True)
    run_id: int = _column(BigInteger, key=True)
    sensor: int = _column(SmallInteger, key=True)
    counts: int = _column(Integer)
    ends: int = _column(Integer)


class Gate(Base, table=True):
    """A sensor that is satisfied with `need` of its `mapped` runs, or mapped to nothing: `problem` says why.

    `timed_out`: its deadline has passed, and it goes on without what is missing: `need` is 0.
    """

    __tablename__: ClassVar[Any] = "gate"
    __table_args__: ClassVar[Any] = {"sqlite_with_rowid": False}

    run_id: int = _column(BigInteger, key=True)
    sensor: int = _column(SmallInteger, key=True)
    need: int = _column(Integer)
    counted: int = _column(Integer)
    mapped: int = _column(Integer)
    problem: str | None = _column(Text, null=True)
    timed_out: int = _column(SmallInteger, default="0")


class Timer(Base, table=True):
    """Something that falls due for a run at an instant: a retry, a deadline. One that fits no more is passed over."""

    __tablename__: ClassVar[Any] = "timer"
    __table_args__ = (Index("timer_due", "due_at"),)

    run_id: int = _column(BigInteger, key=True)
    what: int = _column(SmallInteger, key=True)
    attempt: int = _column(Integer)
    due_at: int = _column(Instant)


class Attempt(Base, table=True):
    """One try at a run, as handed to an executor. `station`: the state folder that keeps its command.

    `queue`: where it waits for a worker, which claims it by writing its own host and station.
    """

    __tablename__: ClassVar[Any] = "attempt"

    run_id: int = _column(BigInteger, key=True)
    number: int = _column(Integer, key=True)
    definition_id: int = _column(BigInteger)
    executor: str = _column(Text)
    host: str = _column(Text)
    submitted_at: int = _column(Instant)
    began_at: int | None = _column(Instant, null=True)
    pid: int | None = _column(Integer, null=True)
    stopping: str | None = _column(Text, null=True)
    station: str | None = _column(Text, null=True)
    queue: str | None = _column(Text, null=True)


class Outcome(Base, table=True):
    """How an attempt ended; the first to tell is believed."""

    __tablename__: ClassVar[Any] = "outcome"

    run_id: int = _column(BigInteger, key=True)
    attempt: int = _column(Integer, key=True)
    at: int = _column(Instant)
    exit_code: int | None = _column(Integer, null=True)
    signal: int | None = _column(Integer, null=True)
    problem: str | None = _column(Text, null=True)
    message: str | None = _column(Text, null=True)


class Past(Base, table=True):
    """What was overwritten, and is not to be forgotten: `what` (of core.past) happened to a run, or to a tick without
    one. `state`, `since_at`, `reason`, `message`, `attempt`: of the final state that it left. Never changed.
    """

    __tablename__: ClassVar[Any] = "past"
    __table_args__ = (Index("past_of", "flow_id", "logical_date"),)

    id: int = _id()
    flow_id: int = _column(BigInteger)
    logical_date: int = _column(Instant)
    at: int = _column(Instant)
    what: int = _column(SmallInteger)
    state: int | None = _column(SmallInteger, null=True)
    since_at: int | None = _column(Instant, null=True)
    reason: str | None = _column(Text, null=True)
    message: str | None = _column(Text, null=True)
    attempt: int | None = _column(Integer, null=True)
    sensor: int | None = _column(SmallInteger, null=True)
    need: int | None = _column(Integer, null=True)
    who: str | None = _column(Text, null=True)


class Request(Base, table=True):
    """What somebody asks of the leader, and its answer."""

    __tablename__: ClassVar[Any] = "request"
    __table_args__ = (UniqueConstraint("key"), {"sqlite_autoincrement": True})

    id: int = _id()
    key: str = _column(Text)
    kind: str = _column(Text)
    body: str = _column(Text)
    who: str = _column(Text)
    created_at: int = _column(Instant)
    answered_at: int | None = _column(Instant, null=True)
    ok: int | None = _column(SmallInteger, null=True)
    answer: str | None = _column(Text, null=True)
    exit_code: int | None = _column(SmallInteger, null=True)
    hint: str | None = _column(Text, null=True)


_OPEN = text("answered_at IS NULL")
Index("request_open", Request.id, postgresql_where=_OPEN, sqlite_where=_OPEN)  # type: ignore[arg-type] # columns, once mapped


class Backfill(Base, table=True):
    """Ticks that somebody asked for. `state`: running, paused, cancelled, done. `rerun`: which ended runs, too.

    `upstream`: with all that its runs wait for. `finished_at`: nothing of it runs any more.
    """

    __tablename__: ClassVar[Any] = "backfill"
    __table_args__: ClassVar[Any] = {"sqlite_autoincrement": True}

    id: int = _id()
    state: int = _column(SmallInteger)
    who: str = _column(Text)
    rerun: str | None = _column(Text, null=True)
    upstream: int = _column(SmallInteger, default="0")
    max_active: int | None = _column(Integer, null=True)
    created_at: int = _column(Instant)
    finished_at: int | None = _column(Instant, null=True)


class BackfillFlow(Base, table=True):
    """The flow that a backfill is of (`position` 0), and then those downstream, each after what it waits for; among
    which dates its ticks are, and up to where they are planned.
    """

    __tablename__: ClassVar[Any] = "backfill_flow"

    backfill_id: int = _column(BigInteger, key=True)
    position: int = _column(Integer, key=True)
    flow_id: int = _column(BigInteger)
    from_date: int = _column(Instant)
    to_date: int = _column(Instant)
    planned_to: int | None = _column(Instant, null=True)


class Pool(Base, table=True):
    """Slots that the runs of some flows share, as sensord.toml has them."""

    __tablename__: ClassVar[Any] = "pool"

    name: str = _column(Text, key=True)
    slots: int = _column(Integer)


class Unpruned(Base, table=True):
    """A run at or before its flow's `pruned_to` of which more than the outcome is kept, and when to look at it."""

    __tablename__: ClassVar[Any] = "unpruned"
    __table_args__ = (Index("unpruned_look", "look_at"),)

    run_id: int = _column(BigInteger, key=True)
    look_at: int = _column(Instant)


class Leader(Base, table=True):
    """The one row of the daemon that leads, by the database's clock. `backend_pid` is the server process of the
    connection that decides, `heart_pid` that of the one that renews the lease.
    """

    __tablename__: ClassVar[Any] = "leader"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: int = _column(SmallInteger, key=True)
    host: str = _column(Text)
    pid: int = _column(Integer)
    version: str = _column(Text)
    term: int = _column(BigInteger)
    started_at: int = _column(Instant)
    expires_at: int = _column(Instant)
    backend_pid: int | None = _column(Integer, null=True)
    backend_at: int | None = _column(Instant, null=True)
    station: str | None = _column(Text, null=True)
    heart_pid: int | None = _column(Integer, null=True)
    heart_at: int | None = _column(Instant, null=True)


class Daemon(Base, table=True):
    """A daemon on PostgreSQL, leading or not, which supervises the commands of its station. `beat_at`: when it was last
    heard of, by the database's clock.
    """

    __tablename__: ClassVar[Any] = "daemon"

    id: str = _column(Text, key=True)
    station: str = _column(Text)
    host: str = _column(Text)
    pid: int = _column(Integer)
    version: str = _column(Text)
    started_at: int = _column(Instant)
    beat_at: int = _column(Instant)
    has_left: int = _column(SmallInteger, default="0")


class Worker(Base, table=True):
    """A worker, which takes attempts from a queue as long as it has a free slot. Its instants are by the database's
    clock; so long after `beat_at` it ends its own commands: `heartbeat_limit`, in microseconds.
    """

    __tablename__: ClassVar[Any] = "worker"

    station: str = _column(Text, key=True)
    name: str = _column(Text)
    host: str = _column(Text)
    pid: int = _column(Integer)
    version: str = _column(Text)
    queue: str = _column(Text)
    slots: int = _column(Integer)
    busy: int = _column(Integer)
    heartbeat_limit: int = _column(BigInteger)
    started_at: int = _column(Instant)
    beat_at: int = _column(Instant)
    is_taking: int = _column(SmallInteger)


class LogPart(Base, table=True):
    """A piece of an attempt's log that a worker has shipped, from byte `start` on."""

    __tablename__: ClassVar[Any] = "log_part"

    run_id: int = _column(BigInteger, key=True)
    attempt: int = _column(Integer, key=True)
    start: int = _column(BigInteger, key=True)
    data: bytes = _column(LargeBinary)


class Engine(Base, table=True):
    """The one row on the tables of Procrastinate beside ours: the newest of its migrations that they have had."""

    __tablename__: ClassVar[Any] = "engine"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: int = _column(SmallInteger, key=True)
    migration: str = _column(Text)


class Problem(Base, table=True):
    """What is wrong in a config file, until it is mended."""

    __tablename__: ClassVar[Any] = "problem"

    file: str = _column(Text, key=True)
    position: int = _column(Integer, key=True)
    line: int | None = _column(Integer, null=True)
    col: int | None = _column(Integer, null=True)
    flow: str | None = _column(Text, null=True)
    key: str | None = _column(Text, null=True)
    message: str = _column(Text)
    hint: str | None = _column(Text, null=True)
    seen_at: int = _column(Instant)
