"""What a recogniser makes up of noise is told from what people say. Texts and figures are Whisper's own."""

import pytest

from bot.local.phantoms import is_doubtful, is_made_up


@pytest.mark.parametrize(
    ("text", "no_speech", "mean_logprob"),
    [
        ("", 0.95, 0.0),
        (".", 0.72, -2.97),
        (". . . . . . . . . . . .", 0.97, -0.12),
        ("[BLANK_AUDIO]", 0.1, -0.2),
        ("Thank you.", 0.78, -0.73),  # a door closes
        ("Thank you.", 0.49, -1.28),  # a fax machine
        ("You", 0.96, -3.44),
        ("And", 0.79, -5.41),  # a cough
        ("Beep Beep Beep Beep Beep Beep Beep", 0.77, -0.23),
        ("I'm going to go to the front.", 0.86, -1.89),  # a street
    ],
)
def test_what_noise_is_written_as_is_silence(text: str, no_speech: float, mean_logprob: float) -> None:
    assert is_made_up(text, no_speech, mean_logprob)


@pytest.mark.parametrize(
    ("text", "no_speech", "mean_logprob"),
    [
        ("Thank you.", 0.05, -0.3),
        ("Bye.", 0.3, -0.5),
        ("9.", 0.65, -0.53),
        ("8.", 0.72, -0.55),
        ("7", 0.37, -2.35),
        ("Yes, yes, yes, yes, yes.", 0.1, -0.4),
        ("10001 90210 01 803", 0.5, -0.75),
        ("What's the weather like?", 0.04, -0.08),
    ],
)
def test_what_people_say_is_kept(text: str, no_speech: float, mean_logprob: float) -> None:
    assert not is_made_up(text, no_speech, mean_logprob)


@pytest.mark.parametrize("text", ["9 9", "Every purchase is a vote, every purchase is a vote.", "Let's let's go"])
def test_what_was_written_twice_deserves_a_second_look(text: str) -> None:
    assert is_doubtful(text, -0.2)


def test_unsure_words_deserve_a_second_look_and_sure_ones_do_not() -> None:
    assert is_doubtful("The U-room.", -0.91)
    assert not is_doubtful("We are open from nine to six, and on Sundays from ten to six.", -0.2)


@pytest.mark.parametrize("laugh", ["hahaha", "Hahaha.", "Ha ha!", "Heh heh.", "Ahaha"])
def test_laughter_is_no_words_however_sure_the_model_is(laugh: str):
    assert is_made_up(laugh, no_speech=0.1, mean_logprob=-0.1)


@pytest.mark.parametrize("words", ["he said so", "Hi.", "he", "Ahead.", "Ha, when do you open?"])
def test_words_that_resemble_laughter_are_words(words: str):
    assert not is_made_up(words, no_speech=0.1, mean_logprob=-0.1)
