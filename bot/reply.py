"""The words of one reply, laid along its audio: what the ear has had is known in milliseconds, people read words.

A chained voice tells which sentence the audio that follows says. A realtime model writes the words ahead of their
sound and does not say where they lie; then they are spread evenly over all of the audio, or, while there is more to
come, at the pace of speech.
"""

from dataclasses import dataclass, field

_LETTERS_PER_MS = 0.015  # 150 words a minute, six letters and a space to a word


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    tag: str
    start_ms: float  # where its audio begins within the reply


@dataclass(slots=True)
class ReplyText:
    """Sentences in the order in which they are spoken, each from its own place in the reply's audio."""

    reply_id: str
    kind: str
    generated_ms: float = 0.0
    is_whole: bool = False  # no more will come
    _sentences: list[_Sentence] = field(default_factory=list)
    _written: str = ""  # words that run ahead of their sound

    def begin(self, text: str, tag: str = "") -> None:
        """The audio that follows says this."""
        words = " ".join(text.split())  # so that what was heard is always the beginning of the whole
        self._sentences.append(_Sentence(words, tag, self.generated_ms))

    def write(self, text: str) -> None:
        """More words, whose sound is on its way."""
        self._written += text

    def lengthen(self, ms: float) -> None:
        """So much more audio of the reply was made."""
        self.generated_ms += ms

    @property
    def text(self) -> str:
        if self._written:
            return " ".join(self._written.split())
        return " ".join(sentence.text for sentence in self._sentences if sentence.text)

    @property
    def tag(self) -> str:
        """What kind of sentence the last one was meant to be."""
        return self._sentences[-1].tag if self._sentences else ""

    def heard(self, heard_ms: float) -> str:
        """The words whose sound had begun to reach the ear by then; within a sentence they are spread evenly."""
        if self._written:
            return spoken_part(self.text, heard_ms, self.generated_ms, is_whole=self.is_whole)
        heard: list[str] = []
        ends = [*(sentence.start_ms for sentence in self._sentences[1:]), self.generated_ms]
        for sentence, end_ms in zip(self._sentences, ends, strict=False):  # without sentences there is one end still
            if heard_ms <= sentence.start_ms:
                break
            words = sentence.text.split()
            share = 1.0 if heard_ms >= end_ms else (heard_ms - sentence.start_ms) / (end_ms - sentence.start_ms)
            heard += words[: round(share * len(words))]
        return " ".join(heard)


def spoken_part(text: str, heard_ms: float, generated_ms: float, *, is_whole: bool) -> str:
    """The beginning of a text that so much of its audio says; `is_whole`: there is audio for all of the text."""
    if is_whole and heard_ms >= generated_ms:
        return text
    if heard_ms <= 0 or generated_ms <= 0:
        return ""
    pace = len(text) / generated_ms
    letters = heard_ms * (pace if is_whole else min(pace, _LETTERS_PER_MS))
    heard: list[str] = []
    place = 0
    for word in text.split():
        if place + len(word) / 2 > letters:
            break
        heard.append(word)
        place += len(word) + 1
    return " ".join(heard)
