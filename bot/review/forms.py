"""What a form sent, as text."""

from aiohttp import web


async def fields(request: web.Request, *names: str) -> list[str]:
    """The values of these fields in this order, "" for one that is missing or a file."""
    form = await request.post()
    return [value if isinstance(value := form.get(name, ""), str) else "" for name in names]


def local_path(text: str, otherwise: str = "/") -> str:
    """Where to go next, if that is a page of ours: browsers take `//host` and `/\\host` for another site."""
    is_local = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable()
    return text if is_local else otherwise
