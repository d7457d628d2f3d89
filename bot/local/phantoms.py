"""What a recogniser of Whisper's kind writes where nobody said anything, and how to tell.

Trained on subtitles, it answers noise with their commonest lines ("Thank you."), with single dots, or with one thing
over and over. Its own figures give it away: the probability that there was no speech (`no_speech`, 0 to 1) and the mean
log-probability of its tokens (`mean_logprob`, 0 downwards). The limits were set on noises, tones and single words of
real callers; a short real "nine" has a `no_speech` of up to 0.9, so that alone decides nothing.
"""

import re

_COMMONEST = {
    "thank you",
    "thanks for watching",
    "thank you for watching",
    "you",
    "bye",
    "okay",
    "oh",
    "so",
    "the",
    "and",
}
_LAUGHTER = re.compile(r"a?(?:ha){2,}h?|(?:he){2,}h?|ha|hah|heh")  # also what a cough is written as
_UNLIKELY = 0.6  # no_speech above which a text must earn belief
_POSSIBLE = 0.4  # no_speech above which an unsure text must at least be no common invention
_UNSURE = -1.0  # mean_logprob below which the words are guesses
_BLIND = -2.5  # no words at all in the tests' speech were right below this
_LONGEST_REPEAT = 8  # words


def is_made_up(text: str, no_speech: float, mean_logprob: float) -> bool:
    """Whether this text should be taken for silence."""
    words = spoken_words(text)
    if not words or mean_logprob < _BLIND or all(_LAUGHTER.fullmatch(word) for word in words):
        return True
    is_unsure = mean_logprob < _UNSURE
    is_common = " ".join(words) in _COMMONEST or repeats(words, times=4)
    if no_speech > _UNLIKELY:
        return is_unsure or is_common
    return no_speech > _POSSIBLE and is_unsure and is_common


def is_doubtful(text: str, mean_logprob: float) -> bool:
    """Whether a second look, with more time, is worth it: unsure, or something was written twice in a row."""
    return mean_logprob < -0.8 or repeats(spoken_words(text), times=2)


def spoken_words(text: str) -> list[str]:
    """Lower-case words and numbers without punctuation; sounds in brackets are none."""
    return re.findall(r"[^\W_]+(?:'[^\W_]+)*", re.sub(r"\[.*?\]|\(.*?\)", " ", text.lower().replace("’", "'")))


def repeats(words: list[str], times: int) -> bool:
    """Whether some run of up to eight words stands there so often in a row."""
    return any(
        words[start : start + length] * times == words[start : start + length * times]
        for length in range(1, min(_LONGEST_REPEAT, len(words) // times) + 1)
        for start in range(len(words) - length * times + 1)
    )
