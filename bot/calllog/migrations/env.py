"""What Alembic runs for each command. The connection is open already, inside the transaction of whoever asks."""

from alembic import context

from bot.calllog.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
)
with context.begin_transaction():
    context.run_migrations()
