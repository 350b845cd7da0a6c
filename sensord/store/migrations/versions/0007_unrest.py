"""Flows that are not at rest are found without the others: those whose newest run may have failed, and the stopped."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

FAILED = """
UPDATE flow SET failed_at = (
    SELECT COALESCE(run.finished_at, run.created_at) FROM run
    WHERE run.flow_id = flow.id AND run.state = 7
      AND run.logical_date = (SELECT MAX(newest.logical_date) FROM run newest WHERE newest.flow_id = flow.id)
)
"""


def upgrade() -> None:
    op.add_column("flow", sa.Column("failed_at", sa.BigInteger(), nullable=True))
    op.execute(FAILED)
    for name, column, condition in (
        ("flow_failed", "failed_at", "failed_at IS NOT NULL"),
        ("flow_stopped", "state", "state <> 1 OR paused_at IS NOT NULL"),
    ):
        where = sa.text(condition)
        op.create_index(name, "flow", [column, "id"], postgresql_where=where, sqlite_where=where)
