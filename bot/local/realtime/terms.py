"""What all sessions of a server have in common."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Terms:
    speaker_rate_hz: int
    own_voices: frozenset[str] = frozenset()
    session_s: float = 3600.0
    """How long a session may last."""
    has_text_model: bool = False
    """Whether answers come from a model that follows instructions, and not from the responder."""
