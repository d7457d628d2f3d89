"""The operator's numbers for one call, as its decisions need them."""

import math
from dataclasses import dataclass

from bot.config import BotConfig

_PACKET_MS = 200  # each message costs the same, however much it holds


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


def policy_of(bot: BotConfig) -> CallPolicy:
    return CallPolicy(
        max_call_s=bot.max_call_s,
        idle_prompt_s=bot.idle_prompt_s,
        reply_timeout_s=bot.reply_timeout_s,
        message_hangover_ms=bot.listening.message_hangover_ms,
        filler_after_s=bot.filler_after_s,
        lead_ms=bot.lead_ms,
        packet_ms=min(_PACKET_MS, bot.lead_ms // 3),
        is_voice_led=bot.voice == "realtime",
        is_greeted_by_voice=bot.voice == "realtime" and bot.realtime.greeting == "model",
        can_interrupt=bot.voice != "realtime" or bot.realtime.interrupt_response,
        fallback_transfer=bot.fallback_transfer,
    )
