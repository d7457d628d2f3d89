"""The session against an emulated carrier in virtual time: what it records and believes, against what was heard."""

import json

import pytest

from bot.calllog.records import TurnRecord
from bot.errors import CarrierError
from bot.events import EndReason
from bot.rehearsal.line import Line
from tests.support.virtual_call import VirtualCall, loud_spans

LINES = [Line(), Line(delay_ms=60, jitter_ms=20, seed=1), Line(delay_ms=150, jitter_ms=80, seed=2)]


def conversation(line: Line) -> VirtualCall:
    """A greeting, two questions, two answers; the second answer is spoken over."""
    call = VirtualCall(line)
    call.passes(2.0)
    call.says(1200)
    call.passes(6.0)
    call.says(1000)
    call.passes(2.9)
    call.says(1500)
    call.passes(6.5)
    call.hangs_up()
    return call


@pytest.mark.parametrize("line", LINES)
def test_the_recording_has_each_side_within_a_frame_of_where_it_sounded(line: Line):
    call = conversation(line)
    for recorded, true in zip(call.recorded(), call.true(), strict=True):
        for mine, theirs in zip(loud_spans(recorded), loud_spans(true), strict=True):
            assert mine == pytest.approx(theirs, abs=20 + line.jitter_ms / 2)


@pytest.mark.parametrize("line", LINES)
def test_the_recording_is_as_long_as_the_call(line: Line):
    call = conversation(line)
    arrived_ms = call.at_ms - line.delay_ms - line.jitter_ms / 2  # what is on its way when the socket closes is lost
    assert len(call.recorded()[0]) / 8 == pytest.approx(arrived_ms, abs=20)


@pytest.mark.parametrize("line", LINES)
def test_no_reply_has_a_gap_and_nothing_plays_after_a_clear(line: Line):
    call = conversation(line)
    assert call.buffer.gap_ms == 0
    assert call.buffer.late_audio_ms == 0
    assert len(call.buffer.clears) == 1


@pytest.mark.parametrize("line", LINES)
def test_what_a_cut_reply_is_believed_to_have_said_is_what_the_ear_had(line: Line):
    call = conversation(line)
    cut = {r.index: r for r in call.session.timeline.take() if isinstance(r, TurnRecord) and r.interrupted}
    assert len(cut) == 1
    start_ms, end_ms = loud_spans(call.true()[1])[2]
    assert [turn.heard_ms for turn in cut.values()] == [pytest.approx(end_ms - start_ms, abs=20)]


def test_a_caller_hears_the_greeting_at_once():
    call = VirtualCall()
    call.passes(1.0)
    assert loud_spans(call.true()[1])[0][0] <= 40


def test_a_reply_comes_after_the_hangover_and_the_models_own_time():
    call = VirtualCall()
    call.passes(2.0)
    call.says(1200)
    call.passes(5.0)
    spoken_until = loud_spans(call.true()[0], join_ms=400)[0][1]
    answered_at = loud_spans(call.true()[1])[1][0]
    # Transcription was guessed at; composing and synthesis take 50 ms each here.
    assert answered_at - spoken_until == pytest.approx(500 + 100, abs=60)


def test_an_hour_of_call_drifts_by_no_frame():
    """The carrier's clock runs true to its stamps; the recording follows it."""
    call = VirtualCall(Line(delay_ms=40, jitter_ms=20, seed=3))
    call.passes(30.0)
    for _ in range(20):
        call.says(1000)
        call.passes(180.0)
    call.hangs_up()
    assert len(call.recorded()[0]) / 8 == pytest.approx(call.at_ms - 50, abs=20)
    for recorded, true in zip(call.recorded(), call.true(), strict=True):
        assert loud_spans(recorded)[-1] == pytest.approx(loud_spans(true)[-1], abs=20)


def test_hanging_up_in_mid_word_still_ends_the_call_for_one_reason():
    call = VirtualCall()
    call.passes(2.0)
    call.says(3000)
    call.passes(1.0)
    call.hangs_up()
    assert call.session.call.end_reason is EndReason.CALLER_HUNG_UP


def test_a_frame_from_the_far_future_ends_the_call_instead_of_filling_the_disk():
    call = VirtualCall()
    call.passes(1.0)
    media = {"track": "inbound", "chunk": "99", "timestamp": "3600000", "payload": "/w=="}
    message = json.dumps({"event": "media", "sequenceNumber": "99", "streamSid": "MZ1", "media": media})
    with pytest.raises(CarrierError, match="3600000 ms"):
        call.session.from_carrier(message, call.now)
