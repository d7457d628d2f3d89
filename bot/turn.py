"""Who has the floor, and what an interruption is worth.

    CALLER    the caller may speak, or is speaking
    THINKING  the caller has finished; a reply is on its way
    BOT       a reply sounds, or is about to

The table holds every legal move; a pair that is not in it leaves the turn as it is, since late events are normal on a
phone line. Some moves are decided by more than the event's kind (was anything said? was that the last reply?): those
are in `call.py`, and they are the only other ones.
"""

import re
from enum import Enum

from bot.events import Event, ReplyAudio, SpeechStarted, UtteranceEnded


class Turn(Enum):
    CALLER = "caller"
    THINKING = "thinking"
    BOT = "bot"


TRANSITIONS: dict[tuple[Turn, type[Event]], Turn] = {
    (Turn.CALLER, UtteranceEnded): Turn.THINKING,
    (Turn.THINKING, SpeechStarted): Turn.CALLER,  # the caller had more to say
    (Turn.THINKING, ReplyAudio): Turn.BOT,
    (Turn.BOT, SpeechStarted): Turn.CALLER,  # barge-in
}

_BACKCHANNEL = re.compile(
    r"(?:(?:ah|aha|alright|cool|fine|good|great|h+m+|huh|mh?m+|m+|mm-?hm+|oh|ok|okay|right|sure|uh|yeah|yep|yes"
    r"|i see|all right|got it|uh-huh|mm-hmm)\b\W*)+"
)


def is_backchannel(text: str) -> bool:
    """Whether a caller's words only say "I am listening": they take no turn, and what they cut short goes on."""
    return _BACKCHANNEL.fullmatch(text.lower().strip()) is not None
