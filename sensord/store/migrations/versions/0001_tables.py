"""The first tables."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _flows()
    _runs()
    _waits()
    _attempts()
    _timers()
    _the_rest()


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(), nullable=False)


def _big(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=null)


def _int(name: str, *, null: bool = False, default: str | None = None) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=null, server_default=sa.text(default) if default else None)


def _small(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.SmallInteger(), nullable=null, autoincrement=False)


def _text(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=null)


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"{table}_pkey")


def _only(condition: str) -> dict[str, Any]:
    return {"postgresql_where": sa.text(condition), "sqlite_where": sa.text(condition)}


def _flows() -> None:
    op.create_table(
        "flow",
        _id(),
        _text("name"),
        _big("definition_id", null=True),
        _small("state"),
        _big("activated_at"),
        _big("removed_at", null=True),
        _big("paused_at", null=True),
        _big("planned_to"),
        _big("first_date", null=True),
        _int("max_active"),
        _int("priority"),
        _key("flow", "id"),
        sa.UniqueConstraint("name", name="flow_name_key"),
    )
    op.create_table(
        "definition",
        _id(),
        _big("flow_id"),
        _text("digest"),
        _text("body"),
        _text("schedule_digest"),
        _big("effective_at"),
        _key("definition", "id"),
        sa.UniqueConstraint("flow_id", "digest", "effective_at", name="definition_flow_id_digest_effective_at_key"),
        sqlite_autoincrement=True,
    )


def _runs() -> None:
    op.create_table(
        "run",
        _id(),
        _big("flow_id"),
        _big("logical_date"),
        _small("kind"),
        _small("state"),
        _text("reason", null=True),
        _text("message", null=True),
        _int("pending", default="0"),
        _int("attempt", default="0"),
        _int("retried_from", default="0"),
        _int("priority"),
        _big("definition_id"),
        _big("created_at"),
        _big("released_at", null=True),
        _big("started_at", null=True),
        _big("finished_at", null=True),
        _key("run", "id"),
        sa.UniqueConstraint("flow_id", "logical_date", name="run_flow_id_logical_date_key"),
        postgresql_with={"fillfactor": 50},
    )
    op.create_index("run_live", "run", ["flow_id", "state"], **_only("state IN (2, 3, 4, 5)"))


def _waits() -> None:
    op.create_table(
        "edge",
        _big("upstream_flow"),
        _big("upstream_date"),
        _big("run_id"),
        _small("sensor"),
        _int("counts"),
        _int("ends"),
        _key("edge", "upstream_flow", "upstream_date", "run_id", "sensor"),
        sqlite_with_rowid=False,
    )
    op.create_index("edge_run", "edge", ["run_id"])
    op.create_table(
        "gate",
        _big("run_id"),
        _small("sensor"),
        _int("need"),
        _int("counted"),
        _int("mapped"),
        _text("problem", null=True),
        _key("gate", "run_id", "sensor"),
        sqlite_with_rowid=False,
    )


def _attempts() -> None:
    op.create_table(
        "attempt",
        _big("run_id"),
        _int("number"),
        _big("definition_id"),
        _text("executor"),
        _text("host"),
        _big("submitted_at"),
        _big("began_at", null=True),
        _int("pid", null=True),
        _text("stopping", null=True),
        _key("attempt", "run_id", "number"),
    )
    op.create_table(
        "outcome",
        _big("run_id"),
        _int("attempt"),
        _big("at"),
        _int("exit_code", null=True),
        _int("signal", null=True),
        _text("problem", null=True),
        _text("message", null=True),
        _key("outcome", "run_id", "attempt"),
    )


def _timers() -> None:
    op.create_table(
        "timer",
        _big("run_id"),
        _small("what"),
        _int("attempt"),
        _big("due_at"),
        _key("timer", "run_id", "what"),
    )
    op.create_index("timer_due", "timer", ["due_at"])


def _the_rest() -> None:
    op.create_table(
        "request",
        _id(),
        _text("key"),
        _text("kind"),
        _text("body"),
        _text("who"),
        _big("created_at"),
        _big("answered_at", null=True),
        _small("ok", null=True),
        _text("answer", null=True),
        _key("request", "id"),
        sa.UniqueConstraint("key", name="request_key_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("request_open", "request", ["id"], **_only("answered_at IS NULL"))
    op.create_table(
        "leader",
        _small("id"),
        _text("host"),
        _int("pid"),
        _text("version"),
        _big("term"),
        _big("started_at"),
        _big("expires_at"),
        _int("backend_pid", null=True),
        _big("backend_at", null=True),
        _key("leader", "id"),
        sa.CheckConstraint("id = 1", name=op.f("leader_single_check")),
    )
    op.create_table(
        "problem",
        _text("file"),
        _int("position"),
        _int("line", null=True),
        _int("col", null=True),
        _text("flow", null=True),
        _text("key", null=True),
        _text("message"),
        _text("hint", null=True),
        _big("seen_at"),
        _key("problem", "file", "position"),
    )
