"""Who has sent a request: somebody signed in, or a script with a token."""

from dataclasses import dataclass

from aiohttp import web

from bot.review.roles import Role


@dataclass(frozen=True, slots=True)
class Visitor:
    role: Role
    address: str
    account: str = ""
    """Whose account it is; "" for a script."""
    sign_in: int | None = None
    session_token: str = ""
    """What the cookie holds; forms are tied to it."""
    api_token: str = ""
    """The token's name, where a script asks."""

    @property
    def who(self) -> str:
        return self.account or f"token {self.api_token}"

    @property
    def is_admin(self) -> bool:
        return self.role is Role.ADMIN


_VISITOR = web.RequestKey("visitor", Visitor)


def remember(request: web.Request, visitor: Visitor) -> None:
    request[_VISITOR] = visitor


def visitor_or_none(request: web.Request) -> Visitor | None:
    return request.get(_VISITOR)


def visitor_of(request: web.Request) -> Visitor:
    """Whoever is looking, on a route that needs a role."""
    visitor = visitor_or_none(request)
    if visitor is None:
        raise LookupError(f"the route {request.path} needs no role, so nobody may be there")
    return visitor
