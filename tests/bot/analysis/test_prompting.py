"""Whisper reads the last 224 tokens of a prompt: those must be the right ones."""

import pytest

from bot.analysis.prompting import EnglishTokens, prompt_with

BEFORE = " ".join(f"sentence {number} of a conversation about bicycles." for number in range(100))


@pytest.fixture(scope="module")
def tokens() -> EnglishTokens:
    return EnglishTokens()


def test_tokens_are_those_of_gpt2(tokens: EnglishTokens):
    assert tokens.count("Hello world, offhook") == 5  # Hello| world|,| off|hook


def test_the_end_of_what_was_said_follows_the_operators_own_prompt(tokens: EnglishTokens):
    prompt = prompt_with("Millbrook Bicycles.", BEFORE, tokens)
    own, said = prompt[:19], prompt[20:]
    assert own == "Millbrook Bicycles."
    assert BEFORE.endswith(said)
    assert 200 < tokens.count(prompt) <= 224


def test_a_short_conversation_is_read_whole(tokens: EnglishTokens):
    assert prompt_with("", "Hello there.", tokens) == "Hello there."
    assert prompt_with("", "", tokens) == ""


def test_of_a_prompt_that_is_too_long_the_end_is_kept(tokens: EnglishTokens):
    prompt = prompt_with(BEFORE, "Hello there.", tokens)
    assert BEFORE.endswith(prompt)
    assert 200 < tokens.count(prompt) <= 224


def test_no_word_is_cut_in_two(tokens: EnglishTokens):
    names = " ".join(f"Quxzyvltworth{number}" for number in range(60))
    kept = prompt_with("", names, tokens)
    assert kept.split()[0].startswith("Quxzyvltworth")
