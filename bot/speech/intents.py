"""What a caller's words do in a conversation, apart from asking for facts: yes, no, thanks, goodbye, say that again.

Works on text as a recogniser writes it, commas and capitals as they fall. Requests are looked for anywhere in the
sentence; answers and courtesies only at its two ends, where they are taken off one by one. What remains (`rest`) is
what may be a question: "Yes, and where are you?" means YES, with the rest "where are you". English; a translation
needs these tables and the one in `facts.py`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto


class Intent(Enum):
    YES = auto()
    NO = auto()
    THANKS = auto()
    GOODBYE = auto()
    HELLO = auto()
    REPEAT = auto()  # say that again
    MESSAGE = auto()  # wants to leave one
    PERSON = auto()  # wants to speak with somebody
    NOTED = auto()  # "okay", "I see": heard and understood
    MURMUR = auto()  # "mm-hm": still listening


@dataclass(frozen=True, slots=True)
class Heard:
    intents: frozenset[Intent]
    rest: str  # what was said besides, in lower case; "" for nothing

    def has(self, *intents: Intent) -> bool:
        return not self.intents.isdisjoint(intents)


_WHO = (
    r"(?:a |an |any |some |the |your )?(?:real |actual |live )?"
    r"(?:person|human(?: being)?|somebody|someone|anyone|anybody|operator|agent|representative|receptionist|staff"
    r"|manager|boss|owner|colleague|mechanic)"
)
_ASK = r"(?:(?:can|could|may|might) i|i(?:'d| would) (?:like|prefer|rather)|i want|i need|let me|is it possible|i wish)"
_ASK_YOU = r"(?:can|could|would|will) (?:you|someone|somebody|they)"

_REQUESTS: Mapping[Intent, Sequence[str]] = {
    Intent.REPEAT: (
        rf"(?:{_ASK_YOU} )?(?:please )?(?:say|repeat) (?:that|it|this|yourself)(?: again| once more| one more time)?",
        r"(?:could|can|would) you (?:please )?(?:repeat|say again)|please repeat|say again|come again|tell me again",
        r"(?:i )?(?:didn't|did not|couldn't|could not|can't|don't) (?:quite )?(?:hear|catch|get|understand)"
        r"(?: that| it| you| what you said|$)",
        r"what (?:was|is) that(?: again)?$|what did you (?:just )?say|what were you saying",
        r"(?:one more time|once more|once again|again please)$|i beg your pardon|pardon(?: me)?",
        r"^(?:huh|what|again|sorry|excuse me|sorry what|excuse me what)$",
    ),
    Intent.MESSAGE: (
        rf"(?:{_ASK}|{_ASK_YOU})(?: to)?(?: please| just)* (?:leave|take|record|pass on)"
        r"(?: you| him| her| them)? (?:a|my) (?:message|note|voicemail)",
        r"(?:leave|take) a message(?: for (?:him|her|them|the team|someone))?",
        rf"{_ASK_YOU} (?:please )?(?:call|ring|phone) me(?: back)?|call me back|have (?:\w+ )?(?:call|ring) me",
    ),
    Intent.PERSON: (
        rf"(?:{_ASK}(?: to)?(?: please| just)? )?(?:speak|talk|chat)(?: with| to)? {_WHO}",
        rf"(?:{_ASK_YOU} )?(?:please )?(?:put me through|connect me|transfer me)(?: to)?(?: {_WHO})?",
        rf"is there {_WHO}(?: there| available)? (?:i|we) (?:can|could) (?:speak|talk) (?:to|with)",
        r"is (?:a |an |the |your )?(?:manager|boss|owner|receptionist|mechanic) (?:there|available|in|around)",
        rf"^(?:(?:i want|i need|give me|get me) )?{_WHO}(?: please)?$",
    ),
}
# In this order: "good morning" is no "good", and "no problem" no NO.
_COURTESIES: Mapping[Intent, Sequence[str]] = {
    Intent.YES: (
        r"yes(?: please| i (?:would|do|will)(?=$)| of course| sure)*|yeah|yep|yup|yea|ya|sure(?: thing)?|of course",
        r"certainly|absolutely|definitely|please do|go ahead|let's do (?:that|it)|why not",
        r"^(?:i do|i would|i will|please)$",
        r"that would be (?:great|nice|good|fine|lovely)|i(?:'d| would) (?:like|love) (?:to|that)$",
        r"i (?:guess|think|suppose) so|if you (?:could|would|don't mind)",
    ),
    Intent.GOODBYE: (
        r"(?:good ?)?bye(?: bye| now| then)*|^(?:buy|by)(?: buy| by)*$|see you(?: later| soon| then| tomorrow)?",
        r"take care|good night|cheerio|talk to you (?:later|soon)",
        r"have a (?:good|nice|great|lovely) (?:one|day|evening|weekend|afternoon|night)",
        r"(?:that's|that is|that was|that'll be|that will be|that would be) (?:all|it|everything)"
        r"(?: for (?:now|today)| i need(?:ed)?| then| from me| i wanted(?: to know)?)*",
        r"(?:i'm|i am|we're) (?:all )?(?:good|set|fine|done|okay)(?: now| then)?|nothing else|nothing more|nothing",
        r"(?:i have|i've got) everything(?: i need)?|you can hang up|i have to go|i've got to go|i gotta go",
    ),
    Intent.HELLO: (
        r"(?:hello|hi|hey|good (?:morning|afternoon|evening|day)|greetings)(?: there| again)?",
        r"are you (?:still )?there|is (?:anyone|anybody|someone) there|can you hear me",
    ),
    Intent.NOTED: (
        r"no (?:problem|worries)|not a problem|i understand|good to know|makes sense|got it|gotcha|i see|understood",
        r"(?:that's|that is|sounds) (?:very )?(?:great|good|fine|perfect|lovely|wonderful|nice|helpful|cool|brilliant)",
        r"okay|ok|all right|alright|right|^(?:great|perfect|fine|cool|lovely|wonderful|awesome|excellent|brilliant)",
        r"^(?:oh|ah|aha|super|good)",
    ),
    Intent.NO: (
        r"no(?: (?:thanks|thank you|not (?:really|now|today)|i don't(?: think so)?|i'm not))+",
        r"no (?:it|that)'s (?:okay|fine)",
        r"(?:i )?(?:don't|do not) (?:think so|want to|need to|bother)|no need|no way|no|nope|nah|forget it|never ?mind",
        r"not (?:really|now|today|right now|necessary|at the moment|at all|this time)|(?:i'd |i would )?rather not",
    ),
    Intent.THANKS: (
        r"(?:thanks|thank you|many thanks|cheers|much appreciated|i appreciate (?:it|that))"
        r"(?: so| very| a lot| much| again| indeed| for (?:that|(?:your|the) help|your time|everything))*",
    ),
    Intent.MURMUR: (r"m+h*m*(?: h?m+)*|uh huh|mm hm+",),
}
_POLITE = (
    r"u+h+|u+m+|er+m*|hm+|please|sorry|excuse me|well|so|then|just|but|you too|and|now|actually|i think|madam|sir"
    r"|for (?:now|today)"
)

_ANYWHERE = [(intent, re.compile(rf"(?<![\w'])(?:{p})(?![\w'])")) for intent, ps in _REQUESTS.items() for p in ps]
_AT_ENDS = [
    (intent, re.compile(rf"^(?:{p})(?![\w'])|(?<![\w'])(?:{p})$")) for intent, ps in _COURTESIES.items() for p in ps
]
_POLITE_AT_ENDS = re.compile(rf"^(?:{_POLITE})(?![\w'])|(?<![\w'])(?:{_POLITE})$")


def hear(text: str) -> Heard:
    """The meaning of one utterance."""
    rest = " ".join(re.sub(r"[^\w' ]+", " ", text.lower().replace("’", "'")).split())
    found: set[Intent] = set()
    for intent, phrase in _ANYWHERE:
        if phrase.search(rest):
            found.add(intent)
            rest = " ".join(phrase.sub(" ", rest).split())
    before = None
    while rest != before:
        before = rest
        rest = _take_courtesy(rest, found)
    return Heard(frozenset(found), rest)


def _take_courtesy(rest: str, found: set[Intent]) -> str:
    """The text without one courtesy at an end, which is noted in `found`; the polite words around it mean nothing."""
    for intent, phrase in _AT_ENDS:
        if phrase.search(rest):
            found.add(intent)
            return phrase.sub(" ", rest, count=1).strip()
    return _POLITE_AT_ENDS.sub(" ", rest).strip()
