"""The vocabulary of a call: what happened (past tense) and what we want done (imperative).

All times named `at_ms`, `start_ms`, `end_ms` are milliseconds on the call's one clock, which starts with the
media stream. Audio that plays to the caller is in the carrier's encoding.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

import msgspec

from bot.speech.conversing import Part, Turn
from bot.speech.links import Said, Say, Transcript, UseTool
from media.endpointing import SpeechPaused, SpeechResumed, SpeechStarted, UtteranceEnded
from media.frame import AudioFormat
from media.playout import Position

__all__ = ["SpeechPaused", "SpeechResumed", "SpeechStarted", "UtteranceEnded"]


class EndReason(Enum):
    """Why a call is over; each call has exactly one."""

    CALLER_HUNG_UP = "caller_hung_up"
    BOT_HUNG_UP = "bot_hung_up"
    IDLE = "idle"
    MAX_DURATION = "max_duration"
    VOICE_FAILED = "voice_failed"
    CARRIER_ERROR = "carrier_error"
    DRAINED = "drained"
    SERVER_ERROR = "server_error"
    TRANSFERRED = "transferred"
    OPERATOR_HUNG_UP = "operator_hung_up"


# -- from the carrier -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StreamStarted:
    """The carrier's media stream is open: the call's clock begins."""

    stream_id: str
    carrier_call_id: str
    audio: AudioFormat
    parameters: Mapping[str, str]


class AudioReceived(msgspec.Struct, frozen=True, gc=False):  # fifty a second: four times quicker than a dataclass
    """One frame of the caller's line, still encoded; `at_ms` is the carrier's own stamp for its first sample."""

    payload: bytes
    at_ms: int


@dataclass(frozen=True, slots=True)
class DigitPressed:
    digit: str  # 0-9 * # A-D


@dataclass(frozen=True, slots=True)
class MarkReturned:
    """The carrier has played everything up to a mark, or thrown it away after a clear."""

    name: str


@dataclass(frozen=True, slots=True)
class StreamStopped:
    """The carrier says that the stream is over, or its socket closed: the caller is gone."""


# -- from the voice ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallerSaid:
    """The words of one utterance; empty where there were none."""

    text: str
    start_ms: int
    end_ms: int
    is_unwritten: bool = False  # there may have been words, but nobody could write them down: to be answered


@dataclass(frozen=True, slots=True)
class SentenceBegun:
    """The next audio of this reply says this; `tag` tells what kind of sentence it is meant to be."""

    reply_id: str
    text: str
    tag: str = ""


@dataclass(frozen=True, slots=True)
class CallerSaying:
    """The words of an utterance as far as they are understood; `CallerSaid` has the last word."""

    text: str
    start_ms: int


@dataclass(frozen=True, slots=True)
class ReplyBegun:
    """The voice begins a reply of its own accord; the call accepts it, or cancels it at once."""

    reply_id: str


@dataclass(frozen=True, slots=True)
class ReplyDeclined:
    """The voice was asked, or heard an utterance, and has nothing to say to it."""


@dataclass(frozen=True, slots=True)
class ReplyWords:
    """More words of a reply, written ahead of their sound."""

    reply_id: str
    text: str


@dataclass(frozen=True, slots=True)
class ReplyAudio:
    reply_id: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class ReplyEnded:
    """The voice has made all of this reply; the ear may be far behind."""

    reply_id: str


@dataclass(frozen=True, slots=True)
class ToolRequested:
    """The voice wants something done, once the caller has heard what was said before it."""

    name: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    request_id: str = ""  # the voice's own name for this request, where it has one


@dataclass(frozen=True, slots=True)
class WorkBegan:
    """Something takes time (a tool, a lost model): the caller must not be left in silence."""

    work: str


@dataclass(frozen=True, slots=True)
class WorkEnded:
    work: str
    owes_answer: bool = False  # what came of it is still to be said


@dataclass(frozen=True, slots=True)
class TokensUsed:
    """What one response or transcription took, and what it costs by the operator's price table (US dollars)."""

    model: str
    tokens: Mapping[str, int]
    cost_usd: float


@dataclass(frozen=True, slots=True)
class RateLimitsTold:
    """How much of each limit of the account is left, as shares from 0 to 1."""

    model: str
    shares: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class VoiceWarned:
    """Something went wrong that the voice has dealt with; for the log."""

    message: str


@dataclass(frozen=True, slots=True)
class VoiceFailed:
    """An engine did not do its work; `message` is for the log, not for the caller."""

    message: str
    is_final: bool = False  # it will not do it the next time either


# -- what the call wants done -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlayAudio:
    payload: bytes


@dataclass(frozen=True, slots=True)
class SendMark:
    name: str


@dataclass(frozen=True, slots=True)
class ClearPlayout:
    """The carrier must drop what the ear has not had."""


@dataclass(frozen=True, slots=True)
class Greet:
    """The voice is to say the first words itself."""

    reply_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Respond:
    """The caller waits for an answer to everything not yet answered; this is to be the reply's name."""

    reply_id: str


@dataclass(frozen=True, slots=True)
class CancelReply:
    """Stop making a reply; the voice must believe it said no more than the caller heard."""

    reply_id: str
    position: Position
    heard_text: str
    text: str = ""  # all of it that was made
    tag: str = ""


@dataclass(frozen=True, slots=True)
class TruncateReply:
    """How much of a cancelled reply the ear had: a clear takes its time to arrive, and now it is known when it did."""

    reply_id: str
    heard_ms: int
    heard_text: str


@dataclass(frozen=True, slots=True)
class ResumeReply:
    """A cancelled reply was still being made, and is wanted after all: make the rest of it, under a new name."""

    cancelled_id: str
    reply_id: str


@dataclass(frozen=True, slots=True)
class AnnounceReply:
    """The first audio of a reply goes out; `kind` is `reply`, `resumed` or what was prepared (`greeting`, …)."""

    reply_id: str
    kind: str
    text: str
    heard_at: float  # when its first sample sounds: seconds, monotonic


@dataclass(frozen=True, slots=True)
class NoteReply:
    """A reply (also one that was prepared, not made by the voice) was heard whole, and belongs to the history."""

    reply_id: str
    text: str
    length_ms: int
    tag: str = ""


@dataclass(frozen=True, slots=True)
class IgnoreWords:
    """What the caller said since the last answer was a murmur, and wants none."""


@dataclass(frozen=True, slots=True)
class ReportTool:
    """A tool is done; the voice answers to its result with a reply of this name, if one is wanted."""

    reply_id: str
    name: str
    result: str
    request_id: str = ""
    wants_reply: bool = True


@dataclass(frozen=True, slots=True)
class TransferCall:
    """Hand the caller over to somebody else."""

    destination: str


@dataclass(frozen=True, slots=True)
class ListenPatiently:
    """How long a silence must be to end an utterance; None for the bot's usual hangover."""

    hangover_ms: int | None


@dataclass(frozen=True, slots=True)
class KeepMessage:
    """The caller left this for somebody to read."""

    text: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class EndCall:
    """Hang up: everything the caller was to hear was heard, or there is nobody left to hear it."""

    reason: EndReason


# -- slow work: the voice asks for it, the runner has it done, the result comes back as an event ----------------------


@dataclass(frozen=True, slots=True)
class Transcribe:
    job_id: int
    pcm: bytes  # 16-bit mono, 8,000 Hz
    is_speculative: bool


@dataclass(frozen=True, slots=True)
class Compose:
    job_id: int
    history: Sequence[Said]


@dataclass(frozen=True, slots=True)
class Converse:
    job_id: int
    turns: Sequence[Turn]
    may_use_tools: bool = True


@dataclass(frozen=True, slots=True)
class Synthesize:
    job_id: int
    text: str


@dataclass(frozen=True, slots=True)
class RunTool:
    job_id: int
    name: str
    arguments: str  # JSON, as the model wrote it


@dataclass(frozen=True, slots=True)
class CancelJob:
    job_id: int


@dataclass(frozen=True, slots=True)
class Transcribed:
    job_id: int
    transcript: Transcript


@dataclass(frozen=True, slots=True)
class PartComposed:
    job_id: int
    part: Say | UseTool


@dataclass(frozen=True, slots=True)
class Composed:
    job_id: int


@dataclass(frozen=True, slots=True)
class PartConversed:
    job_id: int
    part: Part


@dataclass(frozen=True, slots=True)
class Conversed:
    job_id: int


@dataclass(frozen=True, slots=True)
class SoundMade:
    job_id: int
    pcm: bytes  # 16-bit mono at the speaker's rate


@dataclass(frozen=True, slots=True)
class Synthesized:
    job_id: int


@dataclass(frozen=True, slots=True)
class ToolRan:
    job_id: int
    output: str  # for the model: what was found or done, or a sentence on why not


@dataclass(frozen=True, slots=True)
class JobFailed:
    job_id: int
    message: str
    is_final: bool = False  # others of its kind will fail as well


# -- a model at the other end of a socket: the voice asks for links by number, the runner has them --------------------


@dataclass(frozen=True, slots=True)
class OpenLink:
    link: int


class ToModel(msgspec.Struct, frozen=True, gc=False):  # up to fifty a second
    link: int
    message: bytes


@dataclass(frozen=True, slots=True)
class CloseLink:
    link: int


@dataclass(frozen=True, slots=True)
class FromModel:
    link: int
    message: str | bytes


@dataclass(frozen=True, slots=True)
class LinkClosed:
    """The link is gone, or never came to be."""

    link: int
    reason: str
    code: int | None = None  # the HTTP status that refused it, or the close code (RFC 6455, section 7.4)


@dataclass(frozen=True, slots=True)
class LinkClogged:
    """The model has stopped reading: what is sent now only piles up."""

    link: int


@dataclass(frozen=True, slots=True)
class LinkFlows:
    """The model has read everything sent so far."""

    link: int


@dataclass(frozen=True, slots=True)
class TransferFailed:
    """The carrier would not hand the caller over; `message` is for the log."""

    message: str


# -- from whoever watches the call; `by` is their account -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OperatorSpoke:
    """They have the bot say a sentence to the caller."""

    text: str
    payload: bytes  # its sound in the carrier's encoding
    by: str


@dataclass(frozen=True, slots=True)
class OperatorHungUp:
    by: str


@dataclass(frozen=True, slots=True)
class OperatorTransferred:
    destination: str  # the name of one of the bot's transfers
    by: str


Job = Transcribe | Compose | Converse | Synthesize | RunTool
JobResult = (
    Transcribed | PartComposed | Composed | PartConversed | Conversed | SoundMade | Synthesized | ToolRan | JobFailed
)
LinkEvent = FromModel | LinkClosed | LinkClogged | LinkFlows
LinkCommand = OpenLink | ToModel | CloseLink
CarrierEvent = StreamStarted | AudioReceived | DigitPressed | MarkReturned | StreamStopped | TransferFailed
OperatorEvent = OperatorSpoke | OperatorHungUp | OperatorTransferred
SpeechEvent = SpeechStarted | SpeechPaused | SpeechResumed | UtteranceEnded
ReplyEvent = ReplyBegun | ReplyDeclined | SentenceBegun | ReplyWords | ReplyAudio | ReplyEnded
VoiceEvent = (
    CallerSaying
    | CallerSaid
    | ReplyEvent
    | ToolRequested
    | WorkBegan
    | WorkEnded
    | TokensUsed
    | RateLimitsTold
    | VoiceWarned
    | VoiceFailed
)
Event = CarrierEvent | OperatorEvent | SpeechEvent | VoiceEvent
ToVoice = Greet | Respond | CancelReply | TruncateReply | ResumeReply | NoteReply | IgnoreWords | ReportTool
Command = (
    PlayAudio
    | SendMark
    | ClearPlayout
    | AnnounceReply
    | ListenPatiently
    | KeepMessage
    | TransferCall
    | EndCall
    | ToVoice
)
