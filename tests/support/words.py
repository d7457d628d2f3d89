"""How far one text is from another, in words."""

import re


def normalised(text: str) -> list[str]:
    """Words as they sound: small letters, no punctuation."""
    return re.findall(r"[a-z0-9']+", text.lower().replace("-", " "))


def word_errors(reference: str, hypothesis: str) -> tuple[int, int]:
    """Words wrong, missing or too many (Levenshtein distance), and words in the reference."""
    wanted, got = normalised(reference), normalised(hypothesis)
    row = list(range(len(got) + 1))
    for i, word in enumerate(wanted, 1):
        previous, row[0] = row[0], i
        for j, other in enumerate(got, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (word != other))
    return row[-1], len(wanted)
