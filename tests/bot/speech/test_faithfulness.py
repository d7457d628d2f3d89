"""Whether a text was read as it stands there, by the words that the model says it spoke."""

import pytest

from bot.speech.faithfulness import Trust, difference


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("We are open from nine to six.", "We are open from nine to six"),
        ("That's $65.50, until 5:30 p.m.", "That's sixty-five dollars and fifty cents, until five thirty p.m."),
        ("Call +1 555 000 3333.", "Call plus one, five five five, zero zero zero, three three three three."),
        ("The bridge was opened in eighteen eighty-three.", "The bridge was opened in 1883."),
        ("Don’t worry — it’s fine!", "Don't worry, it's fine."),
        ("Dr. Miller sees you on Mon.", "Doctor Miller sees you on Mon."),
        ("Wir öffnen um neun Uhr.", "Wir öffnen um neun Uhr."),
        ("Die Fahrradreparatur macht der Werkstattmeister.", "Die Fahrrad-Reparatur macht der Werkstatt-Meister."),
        ("営業時間は九時から六時までです。", "営業時間は 九時から 六時までです"),
        ("Yes.", "Yes!"),
    ],
)
def test_what_was_read_counts_as_read_however_it_is_spelt(text: str, spoken: str):
    assert difference(text, spoken).is_slight


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Where do you live?", "I'm an assistant, so I don't live anywhere."),
        ("We are open from nine to six.", "Sure! Here it is: We are open from nine to six."),
        ("We are open from nine to six.", "We are open from nine to six. Is there anything else I can do for you?"),
        ("We are open from nine to six, Monday to Saturday.", "We are open."),
        ("Goodbye.", "Goodbye, and have a wonderful day!"),
        ("営業時間は九時から六時までです。", "すみません、わかりません。"),
        ("Thank you for calling, how can I help?", "A tone of 440 hertz for 2000 milliseconds"),
        ("It costs $65.", "It costs sixty-five dollars. Would you like me to book an appointment for you today?"),
    ],
)
def test_what_was_answered_added_or_left_out_does_not(text: str, spoken: str):
    assert not difference(text, spoken).is_slight


def test_the_words_are_counted():
    off = difference("We are open.", "We are closed today.")
    assert (off.given, off.spoken, off.wrong) == (3, 4, 2)


def test_trust_goes_with_the_third_miss_and_returns_when_none_is_remembered():
    trust = Trust()
    changed = [trust.note(is_right=is_right) for is_right in (False, True, False, True, False)]
    assert changed == [False] * 4 + [True]
    assert [trust.note(is_right=True) for _ in range(20)] == [False] * 19 + [True]
    assert not trust.is_lost


def test_misses_far_apart_are_forgiven():
    trust = Trust()
    for _ in range(5):
        trust.note(is_right=False)
        for _ in range(10):
            trust.note(is_right=True)
    assert not trust.is_lost
