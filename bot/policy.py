"""The operator's numbers for one call, as its decisions need them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallPolicy:
    """The operator's numbers for one call."""

    max_call_s: float = 900.0
    idle_prompt_s: float = 10.0
    idle_prompts: int = 2  # so many times "are you still there?", then goodbye
    reply_timeout_s: float = 10.0
    message_hangover_ms: int = 2000
    start_timeout_s: float = 10.0  # for the carrier's media stream to start once its socket is open
    message_wait_s: float = 10.0  # for the first word of a message
    goodbye_grace_s: float = 5.0  # beyond the length of the last words; after that we hang up, heard or not
    lead_ms: int = 400
