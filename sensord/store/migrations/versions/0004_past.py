"""The past of runs: final states that were left, and what else is overwritten; when waiting runs were mapped anew."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("run", sa.Column("mapped_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "past",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("flow_id", "logical_date", "at")),
        sa.Column("what", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=True),
        sa.Column("since_at", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=True),
        sa.Column("sensor", sa.SmallInteger(), nullable=True),
        sa.Column("need", sa.Integer(), nullable=True),
        sa.Column("who", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="past_pkey"),
    )
    op.create_index("past_of", "past", ["flow_id", "logical_date"])
