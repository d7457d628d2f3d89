"""All pages in one list, and how they come into the aiohttp application beside the webhooks."""

from aiohttp import web

from bot.review import api_bots, api_calls, api_openapi, api_reviews, api_statistics, api_words, guard, render
from bot.review.call.peaks import PeaksKept
from bot.review.pages import (
    access_log,
    account,
    api_tokens,
    call,
    call_files,
    calls,
    home,
    live,
    live_actions,
    live_events,
    overview,
    people,
    phone,
    settings,
    sign_in,
    static,
    theme,
    welcome,
)
from bot.review.routes import Route
from bot.review.site import SITE, Site

PAGES = (
    home,
    sign_in,
    welcome,
    account,
    api_tokens,
    people,
    access_log,
    calls,
    call,
    call_files,
    live,
    live_actions,
    live_events,
    overview,
    phone,
    settings,
    theme,
    static,
    api_calls,
    api_reviews,
    api_bots,
    api_statistics,
    api_words,
    api_openapi,
)
"""The modules whose `ROUTES` are mounted."""


def mount(app: web.Application, site: Site) -> None:
    """Add the pages to an application that has all its other routes already: those are left as they are."""
    others = frozenset(app.router.routes())
    app[SITE] = site
    app[call_files.PEAKS] = PeaksKept()
    routes: dict[web.AbstractRoute, Route] = {}
    for page in PAGES:
        for route in page.ROUTES:
            routes[app.router.add_route(route.method, route.path, route.handler)] = route
    site.routes = routes
    render.set_up(app, site)
    app.middlewares.append(guard.guarding(others))
    app.on_response_prepare.append(guard.add_headers)
