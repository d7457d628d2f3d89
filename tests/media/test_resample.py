"""What the ear and the model get from the resampler, measured on its output and not on its coefficients."""

import time
from itertools import pairwise

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from media.resample import Resampler

WITH_TELEPHONE = [
    (8000, 16000),
    (8000, 24000),
    (8000, 48000),
    (16000, 8000),
    (24000, 8000),
    (48000, 8000),
    (22050, 8000),
    (44100, 8000),
    (8000, 22050),
    (8000, 44100),
]
WIDE = [(16000, 24000), (24000, 16000), (16000, 48000), (48000, 16000), (22050, 16000), (44100, 24000), (24000, 44100)]
RATES = st.sampled_from(WITH_TELEPHONE + WIDE)
PASS, STOP = 3400 / 8000, 4600 / 8000  # of the lower rate
AMPLITUDE = 16000.0


def sine(freq_hz: float, rate_hz: int, seconds: float = 0.1) -> np.ndarray:
    return AMPLITUDE * np.sin(2 * np.pi * freq_hz / rate_hz * np.arange(round(rate_hz * seconds)))


def as_pcm(samples: np.ndarray) -> bytes:
    return np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes()


def converted(samples: np.ndarray, in_hz: int, out_hz: int) -> np.ndarray:
    """The output in 20 ms frames, without the first one, in which the filter fills."""
    resampler, frame = Resampler(in_hz, out_hz), 2 * (in_hz // 50)
    pcm = as_pcm(samples)
    out = b"".join(resampler.push(pcm[start : start + frame]) for start in range(0, len(pcm), frame))
    return np.frombuffer(out, "<i2").astype(float)[out_hz // 50 :]


def decibels(amplitude: float) -> float:
    return float(20 * np.log10(max(amplitude, 1e-9) / AMPLITUDE))


def peak_amplitude(samples: np.ndarray, rate_hz: int, from_hz: float) -> float:
    """Of the strongest sine from a frequency up."""
    window = np.blackman(len(samples))
    spectrum = 2 * np.abs(np.fft.rfft(samples * window, 4 * len(samples))) / window.sum()
    return float(spectrum[np.fft.rfftfreq(4 * len(samples), 1 / rate_hz) >= from_hz].max())


def phasor(samples: np.ndarray, freq_hz: float, rate_hz: int) -> complex:
    """Amplitude and phase of one sine, fitted; the phase counts from 20 ms after the first input sample."""
    at = 2 * np.pi * freq_hz * np.arange(len(samples)) / rate_hz
    cosine, sine_part = np.linalg.lstsq(np.stack([np.cos(at), np.sin(at)], axis=1), samples, rcond=None)[0]
    return complex(sine_part, cosine)


# -- what it sounds like ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("in_hz", "out_hz"), WITH_TELEPHONE + WIDE)
def test_the_passband_is_flat_to_a_tenth_of_a_decibel(in_hz, out_hz):
    edge = PASS * min(in_hz, out_hz)
    for freq in np.linspace(50.0, edge, 24):
        gain = decibels(abs(phasor(converted(sine(freq, in_hz), in_hz, out_hz), freq, out_hz)))
        assert abs(gain) <= 0.1, f"{gain:.3f} dB at {freq:.0f} Hz"


@pytest.mark.parametrize(("in_hz", "out_hz"), [pair for pair in WITH_TELEPHONE + WIDE if pair[0] < pair[1]])
def test_images_lie_60_db_down(in_hz, out_hz):
    for freq in np.linspace(100.0, PASS * in_hz, 24):
        image = decibels(peak_amplitude(converted(sine(freq, in_hz), in_hz, out_hz), out_hz, from_hz=STOP * in_hz))
        assert image <= -60, f"{image:.1f} dB for {freq:.0f} Hz"


@pytest.mark.parametrize(("in_hz", "out_hz"), [pair for pair in WITH_TELEPHONE + WIDE if pair[0] > pair[1]])
def test_aliases_lie_60_db_down(in_hz, out_hz):
    for freq in np.linspace(STOP * out_hz, in_hz / 2 - 50, 60):
        alias = decibels(peak_amplitude(converted(sine(freq, in_hz), in_hz, out_hz), out_hz, from_hz=0.0))
        assert alias <= -60, f"{alias:.1f} dB for {freq:.0f} Hz"


def test_a_sweep_beyond_the_telephone_band_leaves_nothing_in_it():
    seconds, start_hz, end_hz = 1.0, 4700.0, 11900.0
    at = np.arange(int(24000 * seconds)) / 24000
    sweep = AMPLITUDE * np.sin(2 * np.pi * (start_hz * at + (end_hz - start_hz) / (2 * seconds) * at**2))
    heard = converted(sweep, 24000, 8000)
    assert decibels(np.abs(heard[:-80]).max()) <= -60


@pytest.mark.parametrize("level", [-32768, -12345, -1, 0, 1, 7, 12345, 32767])
@pytest.mark.parametrize(("in_hz", "out_hz"), [(8000, 24000), (24000, 8000), (8000, 22050)])
def test_a_constant_stays_exactly_that_constant(in_hz, out_hz, level):
    assert set(converted(np.full(in_hz // 10, float(level)), in_hz, out_hz)) == {float(level)}


@pytest.mark.parametrize(("in_hz", "out_hz"), WITH_TELEPHONE)
def test_rounding_adds_no_offset(in_hz, out_hz):
    soft = sine(1000.0, in_hz, seconds=1.0) * 20 / AMPLITUDE
    assert converted(soft, in_hz, out_hz).mean() == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize(("in_hz", "out_hz"), WITH_TELEPHONE)
def test_too_loud_saturates_instead_of_wrapping(in_hz, out_hz):
    square = np.where(sine(500.0, in_hz) >= 0, 32767.0, -32768.0)
    full = converted(square, in_hz, out_hz)
    half = converted(square / 2, in_hz, out_hz)  # the same with room for its overshoot
    assert np.abs(2 * half).max() > 33000
    np.testing.assert_allclose(full, np.clip(2 * half, -32768, 32767), atol=4)


# -- when it comes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("in_hz", "out_hz"), WITH_TELEPHONE + WIDE)
def test_the_stated_delay_is_the_measured_one_and_at_most_1_6_ms(in_hz, out_hz):
    freq = 100.0  # its period is longer than any delay in question, and divides a frame
    turned = np.angle(phasor(converted(sine(freq, in_hz), in_hz, out_hz), freq, out_hz))
    measured_ms = -1000 * turned / (2 * np.pi * freq)
    assert measured_ms == pytest.approx(Resampler(in_hz, out_hz).delay_ms, abs=0.01)
    assert measured_ms <= 1.6


@pytest.mark.parametrize(("in_hz", "out_hz"), WITH_TELEPHONE + WIDE)
def test_every_frame_in_gives_a_whole_frame_out(in_hz, out_hz):
    resampler = Resampler(in_hz, out_hz)
    frame = bytes(2 * (in_hz // 50))
    assert [len(resampler.push(frame)) for _ in range(50)] == [2 * (out_hz // 50)] * 50


def test_ten_minutes_at_odd_rates_do_not_drift():
    resampler = Resampler(22050, 8000)
    out = sum(len(resampler.push(bytes(2 * 22050))) // 2 for _ in range(600))
    assert out == 600 * 8000


@given(RATES, st.lists(st.integers(0, 300), max_size=30))
def test_after_any_chunk_the_output_is_as_long_as_the_rates_say(rates, chunks):
    in_hz, out_hz = rates
    resampler, samples_in, samples_out = Resampler(in_hz, out_hz), 0, 0
    for chunk in chunks:
        samples_in += chunk
        samples_out += len(resampler.push(bytes(2 * chunk))) // 2
        assert samples_out == samples_in * out_hz // in_hz


@given(RATES, st.integers(0, 2**32 - 1), st.lists(st.integers(0, 2000), max_size=12))
def test_how_the_sound_is_cut_into_chunks_changes_no_byte(rates, seed, cuts):
    pcm = np.random.default_rng(seed).integers(-32768, 32768, 2000).astype("<i2").tobytes()
    whole = Resampler(*rates).push(pcm)
    resampler, edges = Resampler(*rates), [0, *sorted(cuts), 2000]
    pieces = [resampler.push(pcm[2 * a : 2 * b]) for a, b in pairwise(edges)]
    assert b"".join(pieces) == whole


def test_a_long_reply_pushed_at_once_equals_the_same_in_single_samples():
    pcm = np.random.default_rng(7).integers(-32768, 32768, 5000).astype("<i2").tobytes()
    resampler = Resampler(24000, 8000)
    assert b"".join(resampler.push(pcm[i : i + 2]) for i in range(0, len(pcm), 2)) == Resampler(24000, 8000).push(pcm)


@pytest.mark.parametrize(("in_hz", "out_hz"), WITH_TELEPHONE)
def test_flushing_gives_the_end_of_the_sound(in_hz, out_hz):
    click = np.zeros(in_hz // 50)
    click[-1] = AMPLITUDE
    resampler = Resampler(in_hz, out_hz)
    before, after = (np.frombuffer(pcm, "<i2") for pcm in (resampler.push(as_pcm(click)), resampler.flush()))
    place = (len(click) - 1) * out_hz / in_hz + resampler.delay_ms * out_hz / 1000  # where the click belongs
    assert place < len(before) + len(after) <= place + 1 + max(1, out_hz / in_hz)
    assert np.abs(after).max() > np.abs(before).max()


@pytest.mark.parametrize("forget", [Resampler.flush, Resampler.reset])
def test_afterwards_it_is_as_new(forget):
    pcm = np.random.default_rng(3).integers(-32768, 32768, 777).astype("<i2").tobytes()
    resampler = Resampler(22050, 8000)
    first = resampler.push(pcm)
    forget(resampler)
    assert resampler.push(pcm) == first


def test_two_calls_do_not_hear_each_other():
    pcm = as_pcm(sine(440.0, 8000))
    one, other = Resampler(8000, 24000), Resampler(8000, 24000)
    alone = Resampler(8000, 24000).push(pcm)
    halves = []
    for half in (pcm[:800], pcm[800:]):
        halves.append(one.push(half))
        other.push(bytes(len(half)))
    assert b"".join(halves) == alone


# -- what it takes ------------------------------------------------------------------------------------------------


@given(st.binary(max_size=400).filter(lambda pcm: len(pcm) % 2 == 0))
def test_equal_rates_pass_through_untouched(pcm):
    resampler = Resampler(16000, 16000)
    assert (resampler.push(pcm), resampler.flush(), resampler.delay_ms) == (pcm, b"", 0.0)


@pytest.mark.parametrize("rates", [(8000, 24000), (8000, 8000)])
def test_half_a_sample_is_refused_and_changes_nothing(rates):
    resampler = Resampler(*rates)
    with pytest.raises(ValueError, match="whole samples"):
        resampler.push(b"\x01\x02\x03")
    assert resampler.push(b"\x01\x02" * 60) == Resampler(*rates).push(b"\x01\x02" * 60)


@pytest.mark.parametrize(
    ("in_hz", "out_hz", "why"), [(0, 8000, "positive"), (8000, -1, "positive"), (8000, 44099, "8000:44099")]
)
def test_rates_it_cannot_convert_are_refused_by_name(in_hz, out_hz, why):
    with pytest.raises(ValueError, match=why):
        Resampler(in_hz, out_hz)


def test_real_speech_survives_the_way_to_the_model_and_back(data):
    speech, rate = soundfile.read(data / "speech-en" / "ls-1272-128104-0000.flac", dtype="int16")
    line = Resampler(rate, 8000).push(speech.tobytes())
    there, back = Resampler(8000, 24000), Resampler(24000, 8000)
    once = np.frombuffer(line, "<i2").astype(float)
    twice = np.frombuffer(back.push(there.push(line)), "<i2").astype(float)
    # The delay of both ways together is no whole number of samples, so compare spectra.
    delay_s = (there.delay_ms + back.delay_ms) / 1000
    freq = np.fft.rfftfreq(len(once), 1 / 8000)
    in_band = (freq > 100) & (freq < 3400)
    expected = np.fft.rfft(once)[in_band] * np.exp(-2j * np.pi * freq[in_band] * delay_s)
    error = np.fft.rfft(twice)[in_band] - expected
    assert 10 * np.log10(np.sum(np.abs(expected) ** 2) / np.sum(np.abs(error) ** 2)) > 40


@pytest.mark.parametrize(("in_hz", "out_hz"), [(8000, 24000), (24000, 8000)])
def test_it_costs_a_small_part_of_the_frame_it_converts(in_hz, out_hz):
    resampler, frame = Resampler(in_hz, out_hz), bytes(2 * (in_hz // 50))
    laps = []
    for _ in range(20):
        start = time.perf_counter()
        for _ in range(20):
            resampler.push(frame)
        laps.append((time.perf_counter() - start) / 20)
    assert min(laps) < 0.2e-3  # a hundredth of 20 ms; the true figure is in benchmarks/resampler.py
