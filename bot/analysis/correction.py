"""Names in a transcript spelt as their business spells them, by a text model that is told the names.

The model gets numbered lines (segments, or sentences where there are none) and gives them back; what it changes beyond
the spelling of words is not taken (`respelling.py`). Segments keep their times, words get those of the words that they
were heard as.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from bot.analysis.chat_model import ChatModel
from bot.analysis.joining import Json, is_diarized, joined_text, speakers_text
from bot.analysis.respelling import Edit, Respelt, letters, respelt
from bot.speech.sentences import sentences

_MOST_LETTERS = 6000  # at a time: models get careless with long lists
_NUMBERED = re.compile(r"^\s*(\d+)\s*[:.)|]\s?(.*)$")

_INSTRUCTIONS = """\
You correct the spelling of names in the transcript of a telephone call, which a machine wrote by ear. \
These are the right spellings: {names}.
You are given numbered lines. Give every line back, with its number, in the same order. Where a word or a few \
words are one of these names, misheard or misspelt, write the name as it is spelt above. Change nothing else: add \
no words, leave none out, answer no questions, and translate nothing."""


@dataclass(frozen=True, slots=True)
class Correction:
    body: Json
    taken: tuple[Edit, ...] = ()
    refused: tuple[Edit, ...] = ()  # what the model would have changed besides


async def corrected(body: Json, names: Sequence[str], model: ChatModel) -> Correction:
    """`body` is a transcript of any JSON format. Raises `VoiceError`."""
    segments: Sequence[Json] = body.get("segments") or ()
    lines = [segment["text"] for segment in segments] or sentences(body["text"])
    found: list[Respelt] = []
    for batch in _batches(lines):
        instructions = _INSTRUCTIONS.format(names=", ".join(names))
        reply = await model.answer(instructions, numbered(batch))
        offered = read_numbered(reply.text)
        found += [respelt(line, offered.get(number, line)) for number, line in enumerate(batch, start=1)]
    taken = tuple(edit for one in found for edit in one.taken)
    refused = tuple(edit for one in found for edit in one.refused)
    return Correction(_with(body, segments, found), taken, refused)


def numbered(lines: Sequence[str]) -> str:
    return "\n".join(f"{number}: {' '.join(line.split())}" for number, line in enumerate(lines, start=1))


def read_numbered(text: str) -> Mapping[int, str]:
    """Lines by number; what has no number is not looked at."""
    found = (_NUMBERED.match(line) for line in text.splitlines())
    return {int(one[1]): one[2].strip() for one in found if one is not None}


def _batches(lines: Sequence[str]) -> Iterator[Sequence[str]]:
    batch: list[str] = []
    for line in lines:
        if batch and sum(map(len, batch)) + len(line) > _MOST_LETTERS:
            yield batch
            batch = []
        batch.append(line)
    if batch:
        yield batch


def _with(body: Json, segments: Sequence[Json], found: Sequence[Respelt]) -> Json:
    if not segments:
        return {**body, "text": "".join(one.text for one in found)}
    spelt = [{**segment, "text": one.text} for segment, one in zip(segments, found, strict=True)]
    text = speakers_text(spelt) if is_diarized(body) else joined_text(segment["text"] for segment in spelt)
    whole = {**body, "segments": spelt, "text": text}
    if "words" in body:
        whole["words"] = _respelt_words(body["words"], segments, [one.taken for one in found])
    return whole


def _respelt_words(words: Sequence[Json], segments: Sequence[Json], edits: Sequence[Sequence[Edit]]) -> list[Json]:
    """A segment's words begin in it; where they are not those of its text, they stay."""
    instead: dict[int, Sequence[Json]] = {}
    for segment, changes in zip(segments, edits, strict=True):
        if not changes:
            continue
        own = [number for number, word in enumerate(words) if _is_in(word, segment)]
        if [letters(words[number]["word"]) for number in own] != [letters(one) for one in segment["text"].split()]:
            continue
        for edit in changes:
            first, *rest = own[edit.begin : edit.end]
            instead[first] = _timed(edit.after, words[first], words[own[edit.end - 1]])
            instead.update(dict.fromkeys(rest, ()))
    return [new for number, word in enumerate(words) for new in instead.get(number, [word])]


def _is_in(word: Json, segment: Json) -> bool:
    return segment["start"] - 0.01 <= word["start"] <= segment["end"] and word.get("speaker") == segment.get("speaker")


def _timed(text: str, first: Json, last: Json) -> list[Json]:
    """New words share the time of the old ones by their length."""
    words = [re.sub(r"^\W+|\W+$", "", word) for word in text.split()]
    shares = list(accumulate((len(word) for word in words), initial=0))
    seconds = last["end"] - first["start"]
    edges = [round(first["start"] + seconds * share / shares[-1], 3) for share in shares]
    return [
        {**first, "word": word, "start": begin, "end": end}
        for word, begin, end in zip(words, edges, edges[1:], strict=False)
    ]
