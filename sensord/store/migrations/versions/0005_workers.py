"""Workers: who takes attempts from which queue, what they ship of logs, and whose tables carry the queue."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("attempt", sa.Column("queue", sa.Text(), nullable=True))
    op.create_table(
        "worker",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("station", "name", "host")),
        sa.Column("pid", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("version", "queue")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("slots", "busy")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("heartbeat_limit", "started_at", "beat_at")),
        sa.Column("is_taking", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("station", name="worker_pkey"),
    )
    op.create_table(
        "log_part",
        sa.Column("run_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "attempt", "start", name="log_part_pkey"),
    )
    op.create_table(
        "engine",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("migration", sa.Text(), nullable=False),
        sa.CheckConstraint("id = 1", name="single"),
        sa.PrimaryKeyConstraint("id", name="engine_pkey"),
    )
