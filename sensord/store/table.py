"""What every table has in common: names of constraints, columns, and the metadata that holds them all."""

from typing import Any

from sqlalchemy import BigInteger, Column, Identity, Integer, MetaData, text
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


def own_id() -> Any:
    return Field(default=None, sa_column=Column("id", Id, Identity(), primary_key=True))


def column(kind: Any, *, key: bool = False, null: bool = False, default: str | None = None) -> Any:
    given: dict[str, Any] = {} if default is None else {"server_default": text(default)}
    if key:
        given["autoincrement"] = False
    return Field(sa_type=kind, primary_key=key, nullable=null, sa_column_kwargs=given)
