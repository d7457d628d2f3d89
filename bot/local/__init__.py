"""What needs no account: loading the models that install from PyPI, and running them off the event loop."""
