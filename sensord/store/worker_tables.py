"""The tables of workers, and of what carries attempts to them, beside those in `tables`."""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, CheckConstraint, Integer, LargeBinary, SmallInteger, Text

from sensord.store.table import Base, Instant, column


class Worker(Base, table=True):
    """A worker, which takes attempts from a queue as long as it has a free slot. Its instants are by the database's
    clock; so long after `beat_at` it ends its own commands: `heartbeat_limit`, in microseconds.
    """

    __tablename__: ClassVar[Any] = "worker"

    station: str = column(Text, key=True)
    name: str = column(Text)
    host: str = column(Text)
    pid: int = column(Integer)
    version: str = column(Text)
    queue: str = column(Text)
    slots: int = column(Integer)
    busy: int = column(Integer)
    heartbeat_limit: int = column(BigInteger)
    started_at: int = column(Instant)
    beat_at: int = column(Instant)
    is_taking: int = column(SmallInteger)


class LogPart(Base, table=True):
    """A piece of an attempt's log that a worker has shipped, from byte `start` on."""

    __tablename__: ClassVar[Any] = "log_part"

    run_id: int = column(BigInteger, key=True)
    attempt: int = column(Integer, key=True)
    start: int = column(BigInteger, key=True)
    data: bytes = column(LargeBinary)


class Engine(Base, table=True):
    """The one row on the tables of Procrastinate beside ours: the newest of its migrations that they have had."""

    __tablename__: ClassVar[Any] = "engine"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: int = column(SmallInteger, key=True)
    migration: str = column(Text)
