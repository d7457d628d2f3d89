"""The pages where people look at calls, in the same aiohttp application as the webhooks.

A page is four files of one name: `pages/NAME.py` (its handlers, and its `ROUTES`), `templates/NAME.html`,
`strings/en/NAME.toml` (all its words) and, where it needs one, `static/NAME.js`. Whoever writes a page adds its module
to `PAGES` in `application.py` and says in each `Route` who may see it. Signing in, roles, cross-site requests, headers
and errors are `guard.py`'s affair: by the time a handler runs, its visitor may do what the route does.
"""
