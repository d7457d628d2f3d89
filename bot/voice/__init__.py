"""What the caller talks to: protocol classes without sockets, one file a voice."""
