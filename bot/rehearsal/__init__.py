"""An emulated phone network and scripted callers: to try, test, load and replay."""
