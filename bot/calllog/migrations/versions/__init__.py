"""One file a migration, each numbered in its name and in its `revision`."""
