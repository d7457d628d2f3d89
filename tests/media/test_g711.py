"""G.711 against the ITU's own tables: sweep.src holds every 16-bit value once, the coded files their codes."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import g711

LAWS = {"u": (g711.encode_ulaw, g711.decode_ulaw), "a": (g711.encode_alaw, g711.decode_alaw)}
EVERY_CODE = bytes(range(256))
PCM = st.lists(st.integers(-32768, 32767)).map(lambda samples: np.array(samples, "<i2").tobytes())


@pytest.fixture(scope="module")
def every_value(data: Path) -> bytes:
    pcm = (data / "g711" / "sweep.src").read_bytes()
    assert sorted(np.frombuffer(pcm, "<i2")) == list(range(-32768, 32768))
    return pcm


def reference_codes(data: Path, law: str) -> np.ndarray:
    return (np.fromfile(data / "g711" / f"sweep-r.{law}", "<u2") & 0xFF).astype(np.uint8)


def steps(law: str, codes: np.ndarray) -> np.ndarray:
    """Where each code stands among all, from the most negative value to the most positive; both zeros are one."""
    values = np.frombuffer(LAWS[law][1](EVERY_CODE), "<i2")
    return np.unique(values, return_inverse=True)[1][codes]


@pytest.mark.parametrize("law", LAWS)
def test_every_code_decodes_to_the_standards_value(data, law):
    codes = reference_codes(data, law)
    assert set(codes) == set(EVERY_CODE)
    assert LAWS[law][1](codes.tobytes()) == (data / "g711" / f"sweep-r.{law}-{law}").read_bytes()


@pytest.mark.parametrize(("law", "rounded_otherwise"), [("u", 508), ("a", 0)])
def test_every_value_encodes_to_within_a_step_of_the_standards_code(data, every_value, law, rounded_otherwise):
    ours, reference = np.frombuffer(LAWS[law][0](every_value), np.uint8), reference_codes(data, law)
    assert np.abs(steps(law, ours) - steps(law, reference)).max() <= 1
    assert np.count_nonzero(ours != reference) == rounded_otherwise


@pytest.mark.parametrize("law", LAWS)
def test_louder_never_encodes_as_softer(law):
    rising = np.arange(-32768, 32768).astype("<i2").tobytes()
    codes = np.frombuffer(LAWS[law][0](rising), np.uint8)
    assert (np.diff(steps(law, codes)) >= 0).all()


@given(st.binary())
def test_a_ulaw_payload_survives_decoding_and_encoding(payload):  # of its two zeros we write 0xFF
    assert g711.encode_ulaw(g711.decode_ulaw(payload)) == payload.replace(b"\x7f", b"\xff")


@given(st.binary())
def test_an_alaw_payload_survives_decoding_and_encoding(payload):  # A-law has no zero, hence no second one
    assert g711.encode_alaw(g711.decode_alaw(payload)) == payload


@pytest.mark.parametrize("law", LAWS)
@given(pcm=PCM)
def test_coding_again_adds_no_further_loss(law, pcm):
    encode, decode = LAWS[law]
    once = decode(encode(pcm))
    assert len(once) == len(pcm)
    assert decode(encode(once)) == once


@pytest.mark.parametrize("law", LAWS)
@given(pcm=PCM)
def test_a_sample_is_off_by_at_most_a_32nd_of_its_size(law, pcm):
    encode, decode = LAWS[law]
    before, after = (np.frombuffer(samples, "<i2").astype(int) for samples in (pcm, decode(encode(pcm))))
    assert (np.abs(after - before) <= np.abs(before) / 32 + 16).all()  # half of one of 16 steps an octave


def test_silence_is_written_as_carriers_write_it():
    assert g711.encode_ulaw(bytes(320)) == b"\xff" * 160
    assert g711.encode_alaw(bytes(320)) == b"\xd5" * 160
    assert g711.decode_ulaw(b"\xff" * 160) == bytes(320)
