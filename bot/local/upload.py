"""Multipart forms with one file, as the audio endpoints take them: read piece by piece, never more than is allowed.

OpenAI's own clients repeat bracketed names for lists (`include[]`) and flatten objects (`chunking_strategy[type]`);
people with curl write plain names and JSON. Both are taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from aiohttp import BodyPartReader, web

from bot.local.errors import RequestError
from bot.speech.model_table import LARGEST_UPLOAD

_LARGEST_FIELD = 1_000_000  # bytes; a reference recording of ten seconds comes as text
_MOST_FIELDS = 64


@dataclass(slots=True)
class Form:
    """A form's fields in their order, lists under their plain name, and its file."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    file: bytes | None = None
    file_name: str = ""

    def one(self, name: str, default: str = "") -> str:
        """A field's value; of several, the last."""
        return self.fields.get(name, [default])[-1]

    def many(self, name: str) -> Sequence[str]:
        return tuple(self.fields.get(name, ()))

    def inner(self, name: str) -> dict[str, str]:
        """The members of a flattened object."""
        prefix = f"{name}["
        return {
            key.removeprefix(prefix).removesuffix("]"): values[-1]
            for key, values in self.fields.items()
            if key.startswith(prefix) and key.endswith("]")
        }


async def read_form(request: web.Request) -> Form:
    """The whole form; raises `RequestError` for what is no form, and for a file above 25 MB (status 413)."""
    if request.content_type != "multipart/form-data":
        raise RequestError(f"Send multipart/form-data with the audio in 'file', not {request.content_type!r}.")
    form = Form()
    try:
        async for part in await request.multipart():
            if isinstance(part, BodyPartReader):
                await _take(part, form, request.content_length)
    except (ValueError, RuntimeError, AssertionError, UnicodeDecodeError) as exc:  # what aiohttp's reader raises
        raise RequestError(f"The form cannot be read: {exc}") from exc
    return form


async def _take(part: BodyPartReader, form: Form, body_bytes: int | None) -> None:
    name = part.name or ""
    if name == "file":
        form.file = await _read(part, LARGEST_UPLOAD, body_bytes)
        form.file_name = part.filename or ""
        return
    value = (await _read(part, _LARGEST_FIELD, None)).decode()
    if sum(len(values) for values in form.fields.values()) >= _MOST_FIELDS:
        raise RequestError("The form has too many fields.")
    form.fields.setdefault(name.removesuffix("[]"), []).append(value)


async def _read(part: BodyPartReader, longest: int, body_bytes: int | None) -> bytes:
    content = bytearray()
    while piece := await part.read_chunk(65_536):
        content += piece
        if len(content) > longest:
            count = body_bytes or len(content)
            raise RequestError(f"Maximum content size limit ({longest}) exceeded ({count} bytes read)", status=413)
    return bytes(content)
