"""The index of runs under way becomes one of all that are unfinished, by state: who waits is found without the past."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("run_live", "run")
    unfinished = sa.text("state < 6")
    op.create_index("run_unfinished", "run", ["state", "flow_id"], postgresql_where=unfinished, sqlite_where=unfinished)
