"""What alembic runs: the migrations, on the connection and in the transaction that `schema.upgrade` hands over."""

from alembic import context

from sensord.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,  # SQLite's, too: schema.upgrade has begun the transaction itself
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
