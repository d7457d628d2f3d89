import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.level import SILENCE_DBFS, comfort_noise, dbfs, is_silent, peak_dbfs, tone


def pcm(*samples: int) -> bytes:
    return np.array(samples, "<i2").tobytes()


def strongest_hz(sound: bytes, rate_hz: int) -> float:
    spectrum = np.abs(np.fft.rfft(np.frombuffer(sound, "<i2").astype(float)))
    return float(spectrum.argmax() * rate_hz / (len(sound) // 2))


def test_a_full_scale_square_wave_is_0_dbfs():
    assert dbfs(pcm(-32768, 32767) * 400) == pytest.approx(0.0, abs=0.001)
    assert peak_dbfs(pcm(-32768, 32767)) == 0.0


def test_a_full_scale_sine_is_3_db_below():
    sine = np.rint(32767 * np.sin(2 * np.pi * np.arange(8000) / 8)).astype("<i2").tobytes()
    assert dbfs(sine) == pytest.approx(-3.01, abs=0.01)
    assert peak_dbfs(sine) == pytest.approx(0.0, abs=0.001)


@pytest.mark.parametrize("nothing", [b"", bytes(2), bytes(320)])
def test_silence_has_a_finite_level(nothing):
    assert (dbfs(nothing), peak_dbfs(nothing)) == (SILENCE_DBFS, SILENCE_DBFS)
    assert is_silent(nothing)


@given(st.lists(st.integers(-16384, 16383), min_size=1).filter(any))
def test_twice_the_amplitude_is_6_db_more(samples):
    more = dbfs(pcm(*(2 * sample for sample in samples))) - dbfs(pcm(*samples))
    assert more == pytest.approx(6.02, abs=0.01)


@given(st.lists(st.integers(-32768, 32767), min_size=1))
def test_no_mean_is_above_its_peak_nor_below_silence(samples):
    assert SILENCE_DBFS <= dbfs(pcm(*samples)) <= peak_dbfs(pcm(*samples)) + 1e-9 <= 1e-9


def test_the_most_negative_sample_counts_as_loud():  # its absolute value does not fit 16 bits
    assert peak_dbfs(pcm(-32768)) == 0.0


def test_silent_means_below_the_threshold_asked_for():
    soft = tone(440, 100, 8000, level_dbfs=-45, ramp_ms=0)
    assert not is_silent(soft)
    assert is_silent(soft, below_dbfs=-40)


@pytest.mark.parametrize("rate_hz", [8000, 16000, 24000])
@pytest.mark.parametrize("level_dbfs", [-40.0, -14.0, -6.0])
def test_a_tone_has_the_frequency_level_and_length_asked_for(rate_hz, level_dbfs):
    sound = tone(1000, 500, rate_hz, level_dbfs)
    assert len(sound) == rate_hz
    assert strongest_hz(sound, rate_hz) == 1000
    assert dbfs(sound[rate_hz // 4 : -rate_hz // 4]) == pytest.approx(level_dbfs, abs=0.05)


def test_a_tone_begins_and_ends_softly():
    samples = np.abs(np.frombuffer(tone(1000, 100, 8000, level_dbfs=-6), "<i2").astype(int))
    loudest = samples.max()
    assert samples[:8].max() < 0.15 * loudest
    assert samples[-8:].max() < 0.15 * loudest


@pytest.mark.parametrize("ms", [0, 0.125, 1, 5, 9])
def test_a_tone_shorter_than_its_fades_still_has_its_length(ms):
    assert len(tone(1000, ms, 8000)) == 2 * int(8 * ms)


def test_a_tone_too_loud_for_16_bits_is_cut_off_and_does_not_wrap():
    samples = np.frombuffer(tone(1000, 100, 8000, level_dbfs=0.0, ramp_ms=0), "<i2").astype(float)
    sine = np.sin(2 * np.pi * np.arange(800) / 8)
    assert samples.max() == 32767
    assert (samples * sine >= 0).all()


@pytest.mark.parametrize("level_dbfs", [-65.0, -50.0, -30.0])
def test_comfort_noise_has_its_level_and_no_pitch(level_dbfs):
    sound = comfort_noise(2000, 8000, level_dbfs)
    assert len(sound) == 2 * 16000
    assert dbfs(sound) == pytest.approx(level_dbfs, abs=0.3)
    power = np.abs(np.fft.rfft(np.frombuffer(sound, "<i2").astype(float))) ** 2
    assert power.max() < 20 * power.mean()


def test_comfort_noise_is_the_same_for_the_same_seed():
    assert comfort_noise(20, 8000, seed=1) == comfort_noise(20, 8000, seed=1) != comfort_noise(20, 8000, seed=2)


def test_levels_of_parts_add_up_as_powers():
    loud, quiet = tone(500, 1000, 8000, -20, ramp_ms=0), bytes(16000)
    assert dbfs(loud + quiet) == pytest.approx(-20 - 10 * math.log10(2), abs=0.01)
