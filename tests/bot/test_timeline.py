from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.calllog.records import MessageTaken, TimelineEvent, TurnRecord
from bot.events import (
    AnnounceReply,
    CallerSaid,
    CallerSaying,
    CancelReply,
    ClearPlayout,
    DigitPressed,
    EndCall,
    EndReason,
    Event,
    KeepMessage,
    NoteReply,
    ReplyAudio,
    ReportTool,
    Respond,
    SentenceBegun,
    SpeechStarted,
    StreamStopped,
    ToolRequested,
    UtteranceEnded,
    VoiceFailed,
)
from bot.timeline import CallClock, Timeline
from media.playout import Position


def test_the_clock_starts_with_the_first_frame_and_follows_the_stamps():
    clock = CallClock(100.0)
    for index in range(100):
        clock.frame((index + 1) * 20, 100.3 + (index + 1) * 0.02)
    assert clock.ms(103.3) == pytest.approx(3000, abs=1)


def test_jitter_is_averaged():
    clock, luck = CallClock(0.0), Random(1)
    for index in range(500):
        clock.frame((index + 1) * 20, (index + 1) * 0.02 + 0.06 + luck.uniform(-0.02, 0.02))
    assert clock.ms(20.06) == pytest.approx(20_000, abs=5)


def test_one_stalled_stretch_hardly_moves_it():
    clock = CallClock(0.0)
    for index in range(300):
        clock.frame((index + 1) * 20, (index + 1) * 0.02)
    for index in range(300, 315):  # 300 ms of frames arrive at once, late
        clock.frame((index + 1) * 20, 316 * 0.02)
    assert clock.ms(316 * 0.02) == pytest.approx(6320, abs=10)


def test_a_carriers_clock_that_runs_fast_is_followed_for_an_hour():
    clock, rate = CallClock(0.0), 1.0001  # 0.36 s an hour
    for index in range(180_000):
        clock.frame((index + 1) * 20, (index + 1) * 0.02 / rate)
    assert clock.ms(3600 / rate) == pytest.approx(3_600_000, abs=2)


def test_one_frame_that_stalls_for_seconds_moves_it_by_less_than_a_millisecond():
    clock = CallClock(0.0)
    for index in range(300):
        clock.frame((index + 1) * 20, (index + 1) * 0.02)
    clock.frame(301 * 20, 301 * 0.02 + 5.0)
    assert clock.exact_ms(10.0) == pytest.approx(10_000, abs=0.7)


def test_it_is_never_before_its_beginning():
    clock = CallClock(100.0)
    assert clock.ms(99.0) == 0


@pytest.fixture
def timeline() -> Timeline:
    clock = CallClock(0.0)
    clock.frame(20, 0.02)
    return Timeline("c1", "+15550001111", clock)


def turns(timeline: Timeline) -> list[TurnRecord]:
    return [record for record in timeline.take() if isinstance(record, TurnRecord)]


def ask(timeline: Timeline, text: str = "When do you open?") -> None:
    timeline.happened(SpeechStarted(1000), 1.1)
    timeline.happened(UtteranceEnded(1000, 2000, b""), 2.5)
    timeline.happened(CallerSaid(text, 1000, 2000), 2.51)


def answer(timeline: Timeline) -> None:
    timeline.happened(SentenceBegun("r1", "At nine."), 2.53)
    timeline.happened(ReplyAudio("r1", b""), 2.6)
    timeline.commanded(AnnounceReply("r1", "reply", "At nine.", heard_at=2.62), 2.6)


def test_a_question_and_its_answer_are_two_turns_with_the_delay_in_its_parts(timeline: Timeline):
    ask(timeline)
    answer(timeline)
    timeline.commanded(NoteReply("r1", "At nine.", 900), 3.6)
    caller, begun, heard = turns(timeline)
    assert (caller.role, caller.text, caller.started_ms, caller.ended_ms) == ("caller", "When do you open?", 1000, 2000)
    assert (begun.index, begun.heard_text, begun.ended_ms) == (1, "", None)
    assert (heard.index, heard.heard_text, heard.ended_ms, heard.heard_ms) == (1, "At nine.", 3600, 900)
    parts = (heard.endpointing_ms, heard.transcription_ms, heard.response_ms, heard.synthesis_ms, heard.reply_ms)
    assert parts == (500, 10, 20, 70, 620)
    assert timeline.turns == 2


def test_words_that_come_while_the_caller_speaks_are_the_same_turn_as_the_last_word_on_them(timeline: Timeline):
    timeline.happened(SpeechStarted(1000), 1.1)
    timeline.happened(CallerSaying("When do", 1000), 1.6)
    timeline.happened(UtteranceEnded(1000, 2000, b""), 2.5)
    timeline.happened(CallerSaid("When do you open?", 1000, 2000), 2.51)
    assert [(turn.index, turn.text) for turn in turns(timeline)] == [(0, "When do"), (0, "When do you open?")]


def test_first_words_that_turn_out_to_be_none_are_taken_back(timeline: Timeline):
    timeline.happened(CallerSaying("Uh", 1000), 1.6)
    timeline.happened(UtteranceEnded(1000, 2000, b""), 2.5)
    timeline.happened(CallerSaid("", 1000, 2000), 2.51)
    assert [(turn.index, turn.text) for turn in turns(timeline)] == [(0, "Uh"), (0, "")]
    assert timeline.turns == 0


def test_a_cut_reply_is_written_with_what_was_heard_of_it(timeline: Timeline):
    ask(timeline)
    answer(timeline)
    timeline.commanded(CancelReply("r1", Position(900, 700, 300), "At", "At nine."), 3.0)
    cut = turns(timeline)[-1]
    assert (cut.text, cut.heard_text, cut.generated_ms, cut.sent_ms, cut.heard_ms) == ("At nine.", "At", 900, 700, 300)
    assert cut.interrupted


def test_a_reply_dropped_before_a_sound_of_it_is_an_event_and_no_turn(timeline: Timeline):
    timeline.commanded(CancelReply("r1", Position(0, 0, 0), ""), 3.0)
    assert timeline.take() == [TimelineEvent("c1", 3000, "reply_dropped", {"reply_id": "r1"})]
    assert timeline.turns == 0


def test_words_understood_better_later_rewrite_their_turn(timeline: Timeline):
    ask(timeline, "When do you open,")
    timeline.happened(UtteranceEnded(3000, 4000, b""), 4.5)
    timeline.happened(CallerSaid("When do you open on Sundays?", 1000, 4000), 4.6)
    first, again = turns(timeline)
    assert (first.index, again.index) == (0, 0)
    assert (again.text, again.ended_ms) == ("When do you open on Sundays?", 4000)
    assert timeline.turns == 1


def test_words_that_nobody_writes_down_are_noted_as_such(timeline: Timeline):
    timeline.happened(CallerSaid("", 1000, 2000, is_unwritten=True), 2.0)
    assert [record.kind for record in timeline.take()] == ["words_unwritten"]


def test_a_noise_is_no_turn(timeline: Timeline):
    ask(timeline, "")
    assert [record.kind for record in timeline.take()] == ["speech_started", "utterance_ended", "no_words"]
    assert timeline.turns == 0


def test_a_message_belongs_to_the_turn_in_which_it_was_left(timeline: Timeline):
    ask(timeline, "Please call me.")
    timeline.commanded(KeepMessage("Please call me.", 1000, 2000), 2.6)
    [message] = [record for record in timeline.take() if isinstance(record, MessageTaken)]
    assert (message.turn_index, message.at_ms, message.duration_ms, message.from_number) == (
        0,
        1000,
        1000,
        "+15550001111",
    )


@pytest.mark.parametrize(("delays", "p50", "p95"), [([], None, None), ([600], 600, 600), ([500, 600, 700], 600, 690)])
def test_percentiles_of_the_delays(timeline: Timeline, delays: list[int], p50: int | None, p95: int | None):
    timeline.reply_delays_ms.extend(delays)
    assert (timeline.reply_percentile_ms(50), timeline.reply_percentile_ms(95)) == (p50, p95)


@given(st.lists(st.integers(0, 10_000), min_size=2))
def test_percentiles_lie_among_the_delays_and_in_order(delays: list[int]):
    timeline = Timeline("c1", "", CallClock(0.0), reply_delays_ms=delays)
    p50, p95 = timeline.reply_percentile_ms(50), timeline.reply_percentile_ms(95)
    assert p50 is not None
    assert p95 is not None
    assert min(delays) <= p50 <= p95 <= max(delays)


def test_a_greeting_is_a_turn_that_nobody_waited_for(timeline: Timeline):
    timeline.commanded(AnnounceReply("g", "greeting", "Hello.", heard_at=0.5), 0.4)
    timeline.commanded(NoteReply("g", "Hello.", 600), 1.1)
    greeting = turns(timeline)[-1]
    assert (greeting.kind, greeting.started_ms, greeting.ended_ms, greeting.reply_ms) == ("greeting", 500, 1100, None)
    assert (timeline.turns, timeline.reply_delays_ms) == (1, [])


def test_a_prompt_between_question_and_answer_takes_no_delay_from_the_answer(timeline: Timeline):
    ask(timeline)
    timeline.commanded(AnnounceReply("p", "pardon", "One moment.", heard_at=2.55), 2.55)
    answer(timeline)
    assert timeline.reply_delays_ms == [620]


def test_an_answer_to_a_tools_result_has_no_delay(timeline: Timeline):
    ask(timeline)
    timeline.commanded(ReportTool("r1", "take_message", "kept"), 2.52)
    answer(timeline)
    assert timeline.reply_delays_ms == []
    assert turns(timeline)[-1].reply_ms is None


def test_the_second_reply_to_one_question_has_no_delay(timeline: Timeline):
    ask(timeline)
    answer(timeline)
    timeline.commanded(AnnounceReply("r2", "reply", "Anything else?", heard_at=4.0), 3.9)
    assert timeline.reply_delays_ms == [620]


def test_a_reply_of_tones_only_is_no_turn_in_which_words_were_said(timeline: Timeline):
    timeline.commanded(AnnounceReply("t", "tone", "", heard_at=1.0), 1.0)
    timeline.commanded(NoteReply("t", "", 350), 1.4)
    assert timeline.turns == 0


def test_an_end_that_is_noted_twice_is_written_once(timeline: Timeline):
    answer(timeline)
    timeline.commanded(NoteReply("r1", "At nine.", 900), 3.6)
    timeline.take()
    timeline.commanded(NoteReply("r1", "At nine.", 900), 3.7)
    assert timeline.take() == []


@pytest.mark.parametrize(
    ("event", "kind", "data"),
    [
        (DigitPressed("5"), "digit_pressed", {"digit": "5"}),
        (ToolRequested("hang_up"), "tool_requested", {"name": "hang_up"}),
        (VoiceFailed("no answer"), "voice_failed", {"message": "no answer"}),
        (StreamStopped(), "stream_stopped", {}),
    ],
)
def test_what_happens_is_noted_at_its_time(timeline: Timeline, event: Event, kind: str, data: dict[str, str]):
    timeline.happened(event, 1.5)
    assert timeline.take() == [TimelineEvent("c1", 1500, kind, data)]


def test_what_the_call_decided_is_noted_at_its_time(timeline: Timeline):
    timeline.commanded(ClearPlayout(), 1.0)
    timeline.commanded(Respond("r1"), 1.1)
    timeline.commanded(EndCall(EndReason.IDLE), 1.2)
    assert timeline.take() == [
        TimelineEvent("c1", 1000, "playout_cleared", {}),
        TimelineEvent("c1", 1100, "reply_requested", {"reply_id": "r1"}),
        TimelineEvent("c1", 1200, "ended", {"reason": "idle"}),
    ]


def test_records_are_handed_over_once(timeline: Timeline):
    ask(timeline)
    assert timeline.take() != []
    assert timeline.take() == []
