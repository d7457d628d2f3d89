"""Words side by side as words of the search index: `__open_on`, and in PostgreSQL also `__open_on_saturday`.

By them a phrase is found as quickly as a word is. Its words alone would not do: two that are common stand in most calls
and beside each other in none, and only looking at each of those calls would tell. A word has no `_` in it, and a facet
begins with one, so neither can be taken for neighbours, nor neighbours for what the beginning of a word may mean.
"""

from collections.abc import Iterator, Sequence

BEGIN = "_"
"""Of a turn's words in a call's `terms`: no phrase goes across it."""


def turns_of(terms: str) -> Iterator[list[str]]:
    """The words of each turn from a call's `terms`, without the facets that follow them."""
    words: list[str] = []
    for term in terms.split(" "):
        if not term.startswith(BEGIN):
            words.append(term)
            continue
        if words:
            yield words
        words = []
        if term != BEGIN:
            return
    if words:
        yield words


def side_by_side(words: Sequence[str], number: int) -> list[str]:
    """Each `number` words that follow each other, as one; all of them as one where they are fewer."""
    if len(words) == 1:
        return list(words)
    number = min(number, len(words))
    return ["__" + "_".join(words[at : at + number]) for at in range(len(words) - number + 1)]
