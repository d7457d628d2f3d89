"""A path of the pages: who answers it, and what it needs."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from bot.review.roles import Needs

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: str
    handler: Handler
    needs: Needs
    people_only: bool = False
    """Whether scripts stay outside, whatever their token's role: they make no accounts and no further tokens."""
    uses_microphone: bool = False
    """Whether the page may ask the browser for the microphone."""
