"""The cookies of the pages: who is signed in, how the pages look, and the one sentence that follows a form.

With TLS the sign-in's name begins with `__Host-`: a browser then takes it from this host alone, for `/`, secure (RFC
6265bis, section 4.1.3.2). `Lax` lets a link in a chat open a call; what changes anything is guarded by `origin.py`.
"""

from datetime import timedelta

from aiohttp import web

from bot.review.sign_ins import LONGEST

THEME = "offhook_theme"
THEMES = ("light", "dark")
_NOTICE = "offhook_notice"
_YEAR = timedelta(days=365)


def session_token(request: web.Request, *, is_secure: bool) -> str | None:
    return request.cookies.get(_session(is_secure)) or None


def keep_session(response: web.StreamResponse, token: str, *, is_secure: bool) -> None:
    """For as long as a sign-in can last; when it really ends is for the database to say."""
    response.set_cookie(
        _session(is_secure), token, max_age=int(LONGEST.total_seconds()), path="/", secure=is_secure, httponly=True,
        samesite="Lax",
    )  # fmt: skip


def forget_session(response: web.StreamResponse, *, is_secure: bool) -> None:
    response.del_cookie(_session(is_secure), path="/", secure=is_secure, httponly=True, samesite="Lax")


def theme(request: web.Request) -> str:
    """ "light", "dark", or "" for what the system says."""
    wanted = request.cookies.get(THEME, "")
    return wanted if wanted in THEMES else ""


def keep_theme(response: web.StreamResponse, wanted: str, *, is_secure: bool) -> None:
    if wanted in THEMES:
        response.set_cookie(THEME, wanted, max_age=int(_YEAR.total_seconds()), secure=is_secure, samesite="Lax")
    else:
        response.del_cookie(THEME, path="/")


def leave_notice(response: web.StreamResponse, name: str, *, is_secure: bool) -> None:
    """The next page says this: a string's name and no text, so that nobody can put words into our mouth."""
    response.set_cookie(_NOTICE, name, max_age=60, secure=is_secure, httponly=True, samesite="Lax")


def take_notice(request: web.Request, response: web.StreamResponse) -> None:
    if _NOTICE in request.cookies:
        response.del_cookie(_NOTICE, path="/")


def notice(request: web.Request) -> str:
    return request.cookies.get(_NOTICE, "")


def _session(is_secure: bool) -> str:
    return "__Host-offhook" if is_secure else "offhook"
