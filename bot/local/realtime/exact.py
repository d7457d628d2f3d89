"""Instructions that ask for one text word for word: those a responder without a language model can follow as well."""

PREFIX = "Say exactly this, word for word:"


def exact_text(instructions: str) -> str | None:
    """The text, without quotes around it; None for instructions of any other kind."""
    if not instructions.startswith(PREFIX):
        return None
    text = instructions.removeprefix(PREFIX).strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
