"""Several daemons on one database: where each attempt's command runs, and which daemons are there."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("attempt", "leader"):
        op.add_column(table, sa.Column("station", sa.Text(), nullable=True))
    op.add_column("leader", sa.Column("heart_pid", sa.Integer(), nullable=True))
    op.add_column("leader", sa.Column("heart_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "daemon",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("id", "station", "host")),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("beat_at", sa.BigInteger(), nullable=False),
        sa.Column("has_left", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="daemon_pkey"),
    )
