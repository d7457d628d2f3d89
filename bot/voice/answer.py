"""One answer of a model that hears and speaks, from the request to its last sound. No I/O.

It may come before anybody has asked for it, and is kept back until then; or be a round of the model's own, which the
call is told of with its first sound. An answer without sound is spoken by the bot's speaker, sentence by sentence.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bot.events import ReplyAudio, ReplyBegun, ReplyWords, SentenceBegun, VoiceFailed
from bot.reply import spoken_part
from bot.speech.conversing import Aside, Finished, Forgotten, Kept, Part, Sound, Words, Written
from bot.speech.links import Spent, UseTool
from bot.speech.sentences import Sentences, plain
from bot.voice.spoken_history import BotLine
from media.frame import AudioFormat
from media.transcode import Transcoder

Piece = SentenceBegun | ReplyWords | ReplyAudio

_REMEDIES = {
    "length": "audio_chat.max_output_tokens was used up before it said anything; raise it",
    "content_filter": "the server's content filter withheld it; see the bot's instructions",
    "": "the server ended its stream early; check the server",
}
_NOTHING = "it said nothing; see whether its instructions allow that"


@dataclass(frozen=True, slots=True)
class Formats:
    model: AudioFormat
    speaker: AudioFormat
    line: AudioFormat


@dataclass(slots=True, eq=False)
class Answer:
    formats: Formats
    pays: bool = False  # the result of a tool is to be told in it
    line: BotLine = field(default_factory=lambda: BotLine(""))
    is_begun: bool = False  # the call knows of it
    asides: Sequence[Aside] = ()  # what the model is told for this answer alone
    request_job: int | None = None
    synthesis_job: int | None = None
    sentences: deque[str] = field(default_factory=deque)
    tools: list[UseTool] = field(default_factory=list)
    spoken: list[str] = field(default_factory=list)  # sentences whose sound was asked for
    failure: VoiceFailed | None = None  # for whoever asks for it
    reason: str = ""  # why the model stopped
    _received_bytes: int = 0
    _is_text: bool = False
    _splitter: Sentences = field(default_factory=Sentences)
    _transcoder: Transcoder | None = None
    _kept_back: list[Piece] = field(default_factory=list)

    @property
    def reply_id(self) -> str:
        """Empty as long as nobody has asked for it."""
        return self.line.reply_id

    @property
    def is_made(self) -> bool:
        return self.request_job is None and self.synthesis_job is None and not self.sentences

    @property
    def jobs(self) -> list[int]:
        """What is being done for it."""
        return [job_id for job_id in (self.request_job, self.synthesis_job) if job_id is not None]

    def forget_job(self, job_id: int) -> None:
        """Nothing more will come of it."""
        if job_id == self.request_job:
            self.request_job = None
        if job_id == self.synthesis_job:
            self.synthesis_job = None

    # -- what comes in ---------------------------------------------------------------------------------------------

    def take(self, part: Part) -> list[Piece | ReplyBegun]:
        """More of it; returns what can go to the call."""
        match part:
            case Words(text) if not self._is_text:
                self.line.written += text
                return self._hand_out(ReplyWords(self.reply_id, text))
            case Sound(pcm) if not self._is_text:
                self._received_bytes += len(pcm)
                return self._sound(pcm, self.formats.model)
            case Written(text) if not self._received_bytes:
                self._is_text = True
                self.line.written += text
                self._add_sentences(*self._splitter.push(text))
            case Kept(audio_id, expires_at):
                self.line.audio_id, self.line.expires_at = audio_id, expires_at
            case Finished(reason):
                self.reason = reason
            case UseTool():
                self.tools.append(part)
            case Words() | Sound() | Written() | Forgotten() | Spent():
                pass  # the same in another form, or no part of what is said
        return []

    def written(self) -> None:
        """The request is over."""
        self.request_job = None
        self._add_sentences(self._splitter.flush())

    def _add_sentences(self, *pieces: str) -> None:
        spoken = (plain(piece) for piece in pieces)
        self.sentences.extend(text for text in spoken if any(letter.isalnum() for letter in text))

    # -- what goes out ---------------------------------------------------------------------------------------------

    def claim(self, reply_id: str) -> list[Piece]:
        """It is asked for after all: what there is of it."""
        self.line.reply_id, self.is_begun = reply_id, True
        kept, self._kept_back = self._kept_back, []
        return [replace(piece, reply_id=reply_id) for piece in kept]

    def begin_sentence(self, text: str) -> list[Piece | ReplyBegun]:
        self.spoken.append(text)
        return self._hand_out(SentenceBegun(self.reply_id, text))

    def speech(self, pcm: bytes) -> list[Piece | ReplyBegun]:
        """Sound of the bot's speaker."""
        return self._sound(pcm, self.formats.speaker)

    def end(self) -> list[Piece | ReplyBegun]:
        """No more will come: the last of its sound."""
        self.line.is_whole = True
        tail = b"" if self._transcoder is None else self._transcoder.flush()
        return self._hand_out(ReplyAudio(self.reply_id, tail)) if tail else []

    def _sound(self, pcm: bytes, source: AudioFormat) -> list[Piece | ReplyBegun]:
        if self._transcoder is None:
            self._transcoder = Transcoder(source, self.formats.line)
        payload = self._transcoder.push(pcm)
        return self._hand_out(ReplyAudio(self.reply_id, payload)) if payload else []

    def _hand_out(self, piece: Piece) -> list[Piece | ReplyBegun]:
        if self.is_begun:
            return [piece]
        self._kept_back.append(piece)
        if not self.reply_id or not isinstance(piece, ReplyAudio):
            return []
        return [ReplyBegun(self.reply_id), *self.claim(self.reply_id)]

    # -- what became of it -------------------------------------------------------------------------------------------

    @property
    def sounded(self) -> str:
        """The words that what there is of its sound says."""
        if self._is_text:
            return " ".join(self.spoken)
        words = " ".join(self.line.written.split())
        received_ms = self._received_bytes * 1000 / self.formats.model.bytes_per_second
        return spoken_part(words, received_ms, received_ms, is_whole=False)

    @property
    def unspoken(self) -> list[str]:
        """The sentences left, if all were written: the one that was being made has to be made anew."""
        if self.request_job is not None:
            return []
        return [*(self.spoken[-1:] if self.synthesis_job is not None else []), *self.sentences]

    @property
    def problem(self) -> str:
        """Why there is nothing in it; empty where there is something."""
        if self._transcoder is not None or self.tools:
            return ""
        return f"the model gave no answer: {_REMEDIES.get(self.reason, _NOTHING)}"

    @property
    def warning(self) -> str:
        """Why it is not all that it might have been; empty where it is."""
        if self.reason == "length":
            return "an answer was cut off: it was longer than audio_chat.max_output_tokens or its server's own limit"
        if self.reason in ("", "content_filter"):
            return f"an answer was cut off: {_REMEDIES[self.reason]}"
        return ""
