"""What the pieces of a streamed chat completion hold, with servers that write them each in its own way. No I/O."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openai.types.chat.chat_completion_chunk import Choice, ChoiceDelta


def choice_of(chunk: Any) -> "Choice | None":
    """The first of a piece; none in one that only counts tokens, or that is nothing at all."""
    choices = getattr(chunk, "choices", None)
    return choices[0] if choices else None


def text_of(delta: "ChoiceDelta") -> str:
    """What the model writes, or why it will not."""
    return _text(delta.content) + _text(delta.refusal)


def _text(content: Any) -> str:
    """Reasoning models of some servers write in parts, of which those that think are left out."""
    if isinstance(content, list):
        parts = [part for part in content if isinstance(part, dict) and part.get("type") == "text"]
        return "".join(_text(part.get("text")) for part in parts)
    return content if isinstance(content, str) else ""
