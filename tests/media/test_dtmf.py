"""Keys heard in the line: within ITU-T Q.24, from real recordings, and never in speech."""

import math

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from media.dtmf import DtmfDetector, generate
from media.level import dbfs, tone
from media.resample import Resampler

ROW_HZ, COLUMN_HZ = (697, 770, 852, 941), (1209, 1336, 1477, 1633)  # ITU-T Q.23
KEYS = "123A456B789C*0#D"
PHASES = range(0, 40, 7)  # samples by which a tone may miss the beginning of a window
RECORDED = {"star": "*", "route": "#"} | {key: key.upper() for key in "0123456789abcd"}
QUIET = bytes(2 * 400)


def detect(pcm: bytes, chunk: int = 160) -> str:
    detector = DtmfDetector()
    return "".join(key for at in range(0, len(pcm), 2 * chunk) for key in detector.push(pcm[at : at + 2 * chunk]))


def pressed(key: str, ms: float, *, low_dbfs: float = -20.0, twist_db: float = 0.0, off: float = 0.0) -> np.ndarray:
    """A key without soft edges, its frequencies off by a share of them."""
    place, at = KEYS.index(key), 2 * np.pi * (1 + off) * np.arange(round(8 * ms)) / 8000
    high = 10 ** (twist_db / 20) * np.sin(COLUMN_HZ[place % 4] * at + 1.0)
    return 32768 * math.sqrt(2) * 10 ** (low_dbfs / 20) * (np.sin(ROW_HZ[place // 4] * at) + high)


def line(*parts: np.ndarray, phase: int = 0, noise_db: float | None = None) -> bytes:
    """Parts one after the other on a quiet line, with white noise `noise_db` below (or above) them."""
    samples = np.concatenate([np.zeros(400 + phase), *parts, np.zeros(400)])
    if noise_db is not None:
        level = math.sqrt(float(np.mean(np.concatenate(parts) ** 2))) * 10 ** (noise_db / 20)
        samples = samples + np.random.default_rng(phase).normal(0, level, len(samples))
    return np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes()


def silence(ms: float) -> np.ndarray:
    return np.zeros(round(8 * ms))


# -- real recordings ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "key"), RECORDED.items())
def test_recorded_keys_are_heard_once(data, name, key):
    samples, rate = soundfile.read(data / "signals" / "dtmf" / f"baresip-{name}.wav", dtype="int16")
    resampler = Resampler(rate, 8000)
    assert detect(resampler.push(samples.tobytes()) + resampler.flush() + QUIET) == key


@pytest.mark.parametrize("folder", ["speech-en", "vad", "noise", "conversation/backchannels"])
@pytest.mark.parametrize("gain", [0.25, 1.0, 4.0])
def test_no_speech_or_noise_is_taken_for_a_key(data, folder, gain):
    for path in sorted((data / folder).iterdir()):
        samples, rate = soundfile.read(path, always_2d=True)
        for channel in samples.T:
            pcm = np.clip(np.rint(gain * 32767 * channel), -32768, 32767).astype("<i2").tobytes()
            assert detect(Resampler(rate, 8000).push(pcm), chunk=8000) == "", path.name


# -- limits of Q.24 -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("off", [-0.015, 0.0, 0.015])
@pytest.mark.parametrize("twist_db", [-8.0, 0.0, 4.0])
def test_the_shortest_allowed_key_is_heard_at_every_limit(key, off, twist_db):
    for phase in PHASES:
        assert detect(line(pressed(key, 40, twist_db=twist_db, off=off), phase=phase)) == key


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("twist_db", [-8.0, 0.0, 4.0])
def test_noise_10_db_below_a_key_does_not_hide_it(key, twist_db):
    for phase in PHASES:
        assert detect(line(pressed(key, 50, twist_db=twist_db), phase=phase, noise_db=-10)) == key


@pytest.mark.parametrize("low_dbfs", [-31.0, -20.0, -9.5])
def test_loud_and_soft_keys_are_heard(low_dbfs):
    assert detect(b"".join(line(pressed(key, 50, low_dbfs=low_dbfs)) for key in KEYS)) == KEYS


def test_a_key_as_soft_as_crosstalk_is_not_heard():
    assert detect(b"".join(line(pressed(key, 100, low_dbfs=-61.0)) for key in KEYS)) == ""


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("off", [-0.035, 0.035])
def test_frequencies_3_5_percent_off_are_no_key(key, off):
    assert detect(line(pressed(key, 100, off=off))) == ""


@pytest.mark.parametrize("twist_db", [-14.0, 10.0])
def test_two_frequencies_of_very_different_level_are_no_key(twist_db):
    assert detect(line(pressed("5", 100, twist_db=twist_db))) == ""


@pytest.mark.parametrize("key", KEYS)
def test_a_key_of_under_23_ms_is_not_heard(key):
    for phase in PHASES:
        assert detect(line(pressed(key, 22), phase=phase)) == ""


def test_a_pause_of_40_ms_makes_two_presses_of_one_key():
    for phase in PHASES:
        assert detect(line(pressed("7", 40), silence(40), pressed("7", 40), phase=phase)) == "77"


def test_an_interruption_of_10_ms_does_not():
    whole = pressed("7", 110)
    whole[400:480] = 0
    for phase in PHASES:
        assert detect(line(whole, phase=phase)) == "7"


def test_a_key_held_down_for_long_is_one_press():
    assert detect(line(pressed("0", 5000))) == "0"


def test_different_keys_need_no_pause_between_them():
    assert detect(line(*(pressed(key, 60) for key in "159D"))) == "159D"


@pytest.mark.parametrize("hz", [350, 440, 697, 941, 1100, 1336, 1633, 2100])
def test_a_single_tone_is_no_key(hz):
    assert detect(tone(hz, 500, 8000)) == ""


def test_a_dial_tone_is_no_key():
    at = 2 * np.pi * np.arange(8000) / 8000
    assert detect(line(4000 * (np.sin(350 * at) + np.sin(440 * at)))) == ""


def test_a_third_tone_betrays_what_is_no_key():
    at = 2 * np.pi * np.arange(1600) / 8000
    chord = pressed("5", 200) + 3000 * np.sin(1050 * at)
    assert detect(line(chord)) == ""
    assert detect(line(chord - 3000 * np.sin(1050 * at))) == "5"


def test_a_key_is_said_while_it_is_still_held():
    detector, pcm = DtmfDetector(), pressed("3", 100).astype("<i2").tobytes()
    said_ms = [(at + 80) / 16 for at in range(0, len(pcm), 80) if detector.push(pcm[at : at + 80])]
    assert len(said_ms) == 1
    assert said_ms[0] <= 45


# -- generation, chunks -------------------------------------------------------------------------------------------


@given(st.text(KEYS, max_size=12), st.floats(40, 120), st.floats(40, 120), st.floats(-30, -12), st.floats(0, 4))
@settings(max_examples=50)
def test_generated_digits_are_heard_as_dialled(digits, tone_ms, pause_ms, low_dbfs, twist_db):
    pcm = generate(digits, tone_ms=tone_ms, pause_ms=pause_ms, low_dbfs=low_dbfs, twist_db=twist_db)
    assert detect(pcm + QUIET) == digits


@given(st.lists(st.integers(0, 700), max_size=40))
def test_how_the_sound_is_cut_into_chunks_changes_no_key(chunks):
    pcm, detector, at, keys = generate("1#0D", tone_ms=50, pause_ms=50) + QUIET, DtmfDetector(), 0, []
    for chunk in [*chunks, len(pcm)]:
        keys += detector.push(pcm[at : at + 2 * chunk])
        at += 2 * chunk
    assert keys == ["1", "#", "0", "D"]


def test_generated_keys_have_the_frequencies_levels_and_lengths_asked_for():
    pcm = generate("6", tone_ms=200, pause_ms=50, low_dbfs=-20, twist_db=2, rate_hz=16000)
    samples = np.frombuffer(pcm, "<i2").astype(float)
    assert len(samples) == 16 * 250
    assert not samples[16 * 200 :].any()
    steady = pcm[2 * 160 : 2 * 3040]
    assert dbfs(steady) == pytest.approx(10 * math.log10(10**-2 + 10**-1.8), abs=0.1)
    at = np.arange(16 * 180)
    for hz, level_dbfs in ((770, -20), (1477, -18)):
        amplitude = 2 * abs(np.mean(samples[160:3040] * np.exp(-2j * np.pi * hz * at / 16000)))
        assert 20 * math.log10(amplitude / math.sqrt(2) / 32768) == pytest.approx(level_dbfs, abs=0.2)


def test_letters_may_be_small():
    assert generate("d*") == generate("D*")


def test_no_digits_make_no_sound():
    assert generate("") == b""


@pytest.mark.parametrize("digits", ["12E", "1 2", "+"])
def test_what_is_on_no_telephone_is_refused(digits):
    with pytest.raises(ValueError, match="not a telephone key"):
        generate(digits)


def test_half_a_sample_is_refused_and_changes_nothing():
    detector = DtmfDetector()
    with pytest.raises(ValueError, match="whole samples"):
        detector.push(b"\x00")
    assert detector.push(generate("8")) == ["8"]
