"""The whole life of a run: deadlines that were applied, what was passed over, stale runs, backfills, pools."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _columns()
    _backfills()
    op.create_table(
        "unpruned",
        sa.Column("run_id", sa.BigInteger(), autoincrement=False, nullable=False),
        _big("look_at"),
        sa.PrimaryKeyConstraint("run_id", name="unpruned_pkey"),
    )
    op.create_index("unpruned_look", "unpruned", ["look_at"])
    op.create_table(
        "pool",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pool_pkey"),
    )


def _columns() -> None:
    op.add_column("flow", sa.Column("pool", sa.Text(), nullable=True))
    op.add_column("flow", _big("pruned_to", null=True))
    for name in ("rerun_at", "stale_at", "backfill_id"):
        op.add_column("run", _big(name, null=True))
    op.add_column("run", _small("keeps_definition", default="0"))
    for name in ("params", "passed_over"):
        op.add_column("run", sa.Column(name, sa.Text(), nullable=True))
    op.add_column("gate", _small("timed_out", default="0"))
    # What mapped to nothing and holds its run is a gate that is not met, like any other.
    op.execute("UPDATE gate SET need = 1 WHERE problem IS NOT NULL")
    op.add_column("request", _small("exit_code", null=True))
    op.add_column("request", sa.Column("hint", sa.Text(), nullable=True))
    condition = sa.text("backfill_id IS NOT NULL")
    op.create_index("run_backfill", "run", ["backfill_id", "state"], postgresql_where=condition, sqlite_where=condition)


def _backfills() -> None:
    op.create_table(
        "backfill",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(), nullable=False),
        _small("state"),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("rerun", sa.Text(), nullable=True),
        _small("upstream", default="0"),
        sa.Column("max_active", sa.Integer(), nullable=True),
        _big("created_at"),
        _big("finished_at", null=True),
        sa.PrimaryKeyConstraint("id", name="backfill_pkey"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "backfill_flow",
        _big("backfill_id"),
        sa.Column("position", sa.Integer(), nullable=False),
        _big("flow_id"),
        _big("from_date"),
        _big("to_date"),
        _big("planned_to", null=True),
        sa.PrimaryKeyConstraint("backfill_id", "position", name="backfill_flow_pkey"),
    )


def _big(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=null)


def _small(name: str, *, null: bool = False, default: str | None = None) -> sa.Column[int]:
    return sa.Column(name, sa.SmallInteger(), nullable=null, server_default=sa.text(default) if default else None)
