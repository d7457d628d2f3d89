"""The call log: records, their store, its migrations, search and export."""
