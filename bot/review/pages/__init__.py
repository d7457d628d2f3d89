"""One module a page; each has its `ROUTES`, which `bot/review/application.py` gathers."""
