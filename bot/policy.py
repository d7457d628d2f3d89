"""The operator's numbers for one call, as its decisions need them."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallPolicy:
    """The operator's numbers for one call."""

    max_call_s: float = 900.0
    idle_prompt_s: float = 10.0
    idle_prompts: int = 2  # so many times "are you still there?", then goodbye
    reply_timeout_s: float = 10.0
    filler_after_s: float = math.inf  # "one moment" after so much silence
    message_hangover_ms: int = 2000
    start_timeout_s: float = 10.0  # for the carrier's media stream to start once its socket is open
    message_wait_s: float = 10.0  # for the first word of a message
    goodbye_grace_s: float = 5.0  # beyond the length of the last words; after that we hang up, heard or not
    transfer_timeout_s: float = 20.0  # for the carrier to take the caller away once it was asked to
    lead_ms: int = 400
    packet_ms: int = 100  # what one message to the carrier holds of a reply that streams
    is_voice_led: bool = False  # the voice begins replies by itself: what the caller said is only noted
    is_greeted_by_voice: bool = False
    greeting_wait_s: float = 1.5  # then the prepared greeting is better than none
    can_interrupt: bool = True
    fallback_transfer: str = ""  # who gets the caller when the voice has failed for good
