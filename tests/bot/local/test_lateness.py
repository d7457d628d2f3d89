"""Models are known by their alignment heads."""

import json

import msgspec
import pytest

from bot.local import models
from bot.local.lateness import lateness_in, lateness_s

BASE = [[3, 1], [4, 2], [4, 3], [4, 7], [5, 1], [5, 2], [5, 4], [5, 6]]


def test_the_model_that_comes_with_us_finds_words_a_tenth_of_a_second_late():
    assert lateness_in(models.whisper_folder("whisper-tiny.en")) == pytest.approx(0.1)


def test_the_multilingual_base_model_finds_them_a_little_early_in_whichever_order_its_heads_are_written():
    assert lateness_s(json.dumps({"alignment_heads": BASE[::-1], "lang_ids": [50259]}).encode()) < 0


def test_of_a_model_that_was_not_measured_nothing_is_corrected():
    assert lateness_s(b'{"alignment_heads": [[9, 9]]}') == 0
    assert lateness_s(b"{}") == 0


def test_what_is_no_model_s_settings_is_refused():
    with pytest.raises(msgspec.MsgspecError):
        lateness_s(b"GGUF")
