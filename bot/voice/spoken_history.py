"""The conversation as a model that hears and speaks is told it anew with each request. No I/O.

What the caller said last goes as sound: the model hears how it was said, and need not wait for a transcriber. What they
said before goes in words, where somebody wrote them down: a second of sound costs ten tokens of the dearer kind and
16 kB of request, again for each answer until the call ends. Of the bot's own words the model is told what the caller
heard: an answer heard whole by the name under which the server keeps its sound, one that was cut in words.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bot.speech.conversing import BotTurn, CallerTurn, ToolTurn, Turn
from bot.speech.links import UseTool

EXPIRY_MARGIN_S = 30.0
"""A sound that is forgotten sooner is not named any more: requests take their time, and clocks differ."""

_MOST_SOUND_BYTES = 60 * 16000
"""A minute: so much of what nobody wrote down is told again."""
_UNWRITTEN = "(something that was not written down)"
_UNDER_WAY = '{"status":"not finished yet; the result follows"}'


@dataclass(slots=True, eq=False)
class CallerLine:
    """One utterance."""

    pcm: bytes
    text: str = ""


@dataclass(slots=True, eq=False)
class BotLine:
    """One answer, or something said in the model's place."""

    reply_id: str
    written: str = ""  # all of it that was made
    heard: str | None = None  # None: nothing speaks against all of it
    is_whole: bool = False  # no more of it will be made
    is_heard_whole: bool = False
    audio_id: str = ""
    expires_at: float = 0.0  # seconds since 1970
    tools: Sequence[UseTool] = ()

    @property
    def text(self) -> str:
        return " ".join((self.written if self.heard is None else self.heard).split())


@dataclass(slots=True, eq=False)
class _ToolLine:
    use: str
    call_id: str
    output: str = _UNDER_WAY


@dataclass(slots=True)
class SpokenHistory:
    _lines: list[CallerLine | BotLine | _ToolLine] = field(default_factory=list)
    _names_sounds: bool = True

    # -- the caller ------------------------------------------------------------------------------------------------

    def caller(self, pcm: bytes) -> CallerLine:
        """16-bit mono, 8,000 Hz."""
        line = CallerLine(pcm)
        self._lines.append(line)
        return line

    def strike(self, line: CallerLine) -> None:
        """That was a noise, or a murmur."""
        if line in self._lines:
            self._lines.remove(line)

    # -- the bot -----------------------------------------------------------------------------------------------------

    def place(self, line: BotLine) -> None:
        """An answer begins; its words and its name are filled in as they come."""
        self._lines.append(line)

    def remove(self, line: BotLine) -> None:
        """It never came to be."""
        if line in self._lines:
            self._lines.remove(line)

    def find(self, reply_id: str) -> BotLine | None:
        return next((line for line in self._lines if isinstance(line, BotLine) and line.reply_id == reply_id), None)

    def said(self, reply_id: str, text: str) -> None:
        """The caller heard something that is no answer of the model's, or the rest of one that had been cut."""
        if text:
            self._lines.append(BotLine(reply_id, text))

    @property
    def is_answered(self) -> bool:
        """Whether the bot has said anything since the caller did; who could not be put through waits to hear that."""
        for line in reversed(self._lines):
            if isinstance(line, CallerLine):
                return False
            if isinstance(line, BotLine) and line.text:
                return all(tool.name != "transfer" for tool in line.tools)
        return False

    def forget_sounds(self) -> None:
        """The server does not know what it is named: from now on the model is told in words."""
        self._names_sounds = False

    # -- tools -------------------------------------------------------------------------------------------------------

    def used(self, line: BotLine, tools: Mapping[str, UseTool]) -> None:
        """An answer asked for these, each by a name of its own; until a result is there, it is on its way."""
        line.tools = tuple(tools.values())
        place = self._lines.index(line) + 1
        self._lines[place:place] = [_ToolLine(use, tool.call_id) for use, tool in tools.items()]

    def output(self, use: str, output: str) -> None:
        for line in self._lines:
            if isinstance(line, _ToolLine) and line.use == use:
                line.output = output

    # -- telling it ----------------------------------------------------------------------------------------------------

    def turns(self, wall_s: float) -> Sequence[Turn]:
        """Oldest first; `wall_s` is now, in seconds since 1970."""
        self._let_go_of_sound()
        return tuple(turn for line in self._lines if (turn := self._turn(line, wall_s)) is not None)

    def _turn(self, line: CallerLine | BotLine | _ToolLine, wall_s: float) -> Turn | None:
        match line:
            case CallerLine(pcm, text):
                return CallerTurn(text or ("" if pcm else _UNWRITTEN), pcm)
            case _ToolLine(_, call_id, output):
                return ToolTurn(call_id, output)
            case BotLine() if line.tools:
                return BotTurn(line.text, tools=line.tools)
            case BotLine():
                is_kept = line.is_heard_whole and line.expires_at - EXPIRY_MARGIN_S > wall_s
                audio_id = line.audio_id if is_kept and self._names_sounds else ""
                return BotTurn(line.text, audio_id) if line.text or audio_id else None

    def _let_go_of_sound(self) -> None:
        newest = set(map(id, self._newest()))
        kept_bytes = 0
        for line in reversed(self._lines):
            if not isinstance(line, CallerLine) or id(line) in newest:
                continue
            kept_bytes += 0 if line.text else len(line.pcm)
            if line.text or kept_bytes > _MOST_SOUND_BYTES:
                line.pcm = b""

    def _newest(self) -> Iterator[CallerLine]:
        """What the caller said since they last heard an answer that used no tools."""
        for line in reversed(self._lines):
            if isinstance(line, CallerLine):
                yield line
            elif isinstance(line, BotLine) and line.text and not line.tools:
                return
