"""Who may do what: two roles, and what a route may ask of whoever comes to it."""

from enum import StrEnum


class Role(StrEnum):
    VIEWER = "viewer"
    """Looks at everything, with telephone numbers masked, and changes nothing but reviews."""
    ADMIN = "admin"
    """Sees numbers in full, deletes, exports, and decides who else may look."""


class Needs(StrEnum):
    """What a route asks for. There is no default: a route without one of these is refused."""

    NOTHING = "nothing"
    """It is not even looked up who asks: files that every page needs."""
    ANYBODY = "anybody"
    """Also those who are not signed in."""
    VIEWER = "viewer"
    ADMIN = "admin"


def may(role: Role, needs: Needs) -> bool:
    """Whether somebody who is signed in may come in."""
    return needs is not Needs.ADMIN or role is Role.ADMIN
