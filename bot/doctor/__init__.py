"""Whether this service can answer calls: one set of checks, for `offhook doctor` and for the page of settings.

`examination.py` asks everything at once; the probes (`*_probe.py`, `asking.py`) do the asking, each with a time limit,
and the rest decides what it means. Nothing here changes anything.
"""
