"""The Alembic environment of the call log; `database.migrate` runs it, no alembic.ini is needed."""
