"""The call: carriers, voices, the log, and the server that joins them."""
