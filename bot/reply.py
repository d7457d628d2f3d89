"""The words of one reply, laid along its audio: what the ear has had is known in milliseconds, people read words."""

from dataclasses import dataclass, field


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
    _sentences: list[_Sentence] = field(default_factory=list)

    def begin(self, text: str, tag: str = "") -> None:
        """The audio that follows says this."""
        words = " ".join(text.split())  # so that what was heard is always the beginning of the whole
        self._sentences.append(_Sentence(words, tag, self.generated_ms))

    def lengthen(self, ms: float) -> None:
        """So much more audio of the reply was made."""
        self.generated_ms += ms

    @property
    def text(self) -> str:
        return " ".join(sentence.text for sentence in self._sentences if sentence.text)

    @property
    def tag(self) -> str:
        """What kind of sentence the last one was meant to be."""
        return self._sentences[-1].tag if self._sentences else ""

    def heard(self, heard_ms: float) -> str:
        """The words whose sound had begun to reach the ear by then; within a sentence they are spread evenly."""
        heard: list[str] = []
        ends = [*(sentence.start_ms for sentence in self._sentences[1:]), self.generated_ms]
        for sentence, end_ms in zip(self._sentences, ends, strict=False):  # without sentences there is one end still
            if heard_ms <= sentence.start_ms:
                break
            words = sentence.text.split()
            share = 1.0 if heard_ms >= end_ms else (heard_ms - sentence.start_ms) / (end_ms - sentence.start_ms)
            heard += words[: round(share * len(words))]
        return " ".join(heard)
