"""The live ear in plain calls: when sound is sent, committed and sent again, and what becomes of the words."""

import pytest

from bot.events import (
    CallerSaid,
    CallerSaying,
    CloseLink,
    LinkClogged,
    LinkFlows,
    OpenLink,
    SpeechStarted,
    TokensUsed,
    UtteranceEnded,
    VoiceFailed,
    VoiceWarned,
    WorkBegan,
    WorkEnded,
)
from tests.support.live import Session, kinds, of, sent, sound_ms


@pytest.fixture
def session() -> Session:
    """One whose model writes while the caller speaks, and leaves it to us when they have finished."""
    session = Session()
    session.starts()
    return session


@pytest.fixture
def server() -> Session:
    """One that decides itself when the caller has finished."""
    server = Session("gpt-4o-transcribe", "server_vad")
    server.starts()
    return server


# -- the session -------------------------------------------------------------------------------------------------------


def test_the_session_is_configured_before_any_sound_goes_out():
    session = Session()
    opened = session.ear.start(session.now)
    assert opened == [WorkBegan("transcriber"), OpenLink(1)]
    session.link = 1
    [update] = sent(session.says(type="session.created", session={"id": "sess_1"}))
    assert update["session"]["type"] == "transcription"
    assert update["session"]["audio"]["input"]["turn_detection"] is None
    assert session.hears(1000) == []
    assert session.says(type="session.updated", session={}) == [WorkEnded("transcriber")]


def test_settings_that_a_server_does_not_know_are_left_out():
    session = Session()
    session._take(session.ear.start(session.now))
    session.says(type="session.created", session={})
    error = {"type": "invalid_request_error", "code": "unknown_parameter", "event_id": "configure"}
    refused = session.says(type="error", error=error)
    assert of(refused, VoiceWarned)
    assert "noise_reduction" not in sent(refused)[0]["session"]["audio"]["input"]
    assert of(session.says(type="session.updated", session={}), WorkEnded)


def test_a_session_that_would_hear_another_encoding_is_of_no_use():
    session = Session()
    session._take(session.ear.start(session.now))
    session.says(type="session.created", session={})
    told = {"audio": {"input": {"format": {"type": "audio/pcm"}}}}
    assert of(session.says(type="session.updated", session=told), VoiceFailed)[0].is_final


@pytest.mark.parametrize("code", [401, 404, 3000])
def test_a_key_or_model_that_is_refused_is_told_at_once(code: int):
    session = Session()
    session._take(session.ear.start(session.now))
    assert of(session.loses_link(code), VoiceFailed)[0].is_final


# -- we decide when the caller has finished ----------------------------------------------------------------------------


def test_only_what_the_caller_says_is_sent_with_a_moment_before_it(session: Session):
    assert session.hears(3000) == []
    begun = session.caller_begins(2900)
    assert (kinds(begun), sound_ms(begun)) == (["append"], 400)
    assert sound_ms(session.hears(1000)) == 1000


def test_an_utterance_is_committed_at_its_pause_and_told_at_its_end(session: Session):
    session.hears(2000)
    session.caller_begins(1000)
    session.hears(500)
    assert kinds(session.caller_pauses(1000, 2300)) == ["commit"]
    assert session.hears(300) == []
    session.commits("item_1")
    assert session.has_written("item_1", "When do you open?") == []
    assert session.caller_ends(1000, 2300) == [CallerSaid("When do you open?", 1000, 2300)]


def test_words_that_come_after_the_end_are_told_when_they_come(session: Session):
    session.caller_speaks(1000, 2000)
    session.commits("item_1")
    assert session.has_written("item_1", "Hello.") == [CallerSaid("Hello.", 1000, 2000)]


def test_words_are_told_while_they_are_spoken(session: Session):
    session.hears(1000)
    session.caller_begins(900)
    assert session.writes("item_1", "When do") == [CallerSaying("When do", 900)]
    assert session.writes("item_1", " you open") == [CallerSaying("When do you open", 900)]


def test_a_model_that_writes_ahead_goes_on_after_a_pause_and_the_words_are_joined(session: Session):
    session.hears(1000)
    session.caller_begins(900)
    session.hears(1000)
    session.caller_pauses(900, 1800)
    session.hears(200)
    assert sound_ms(session.caller_goes_on(2100)) == 200  # what was said since the commit
    session.hears(1000)
    session.caller_pauses(900, 3000)
    session.commits("item_1")
    session.commits("item_2")
    assert session.has_written("item_2", "on Sundays?") == []
    session.caller_ends(900, 3000)
    assert session.has_written("item_1", "When do you open") == [CallerSaid("When do you open on Sundays?", 900, 3000)]


def test_any_other_model_gets_the_whole_utterance_again(session: Session):
    session = Session("gpt-transcribe")
    session.starts()
    session.hears(1000)
    session.caller_begins(900)
    session.hears(1000)
    session.caller_pauses(900, 1800)
    session.hears(200)
    assert sound_ms(session.caller_goes_on(2100)) == 2200 - 900 + 300
    session.hears(1000)
    session.caller_pauses(900, 3000)
    session.commits("item_1")
    session.commits("item_2")
    assert session.has_written("item_1", "When do you, oh, pen?") == []
    session.caller_ends(900, 3000)
    assert session.has_written("item_2", "When do you open on Sundays?") == [
        CallerSaid("When do you open on Sundays?", 900, 3000)
    ]


def test_an_utterance_longer_than_what_is_kept_is_joined_instead():
    session = Session("gpt-transcribe")
    session.starts()
    session.hears(1000)
    session.caller_begins(900)
    session.hears(12_000)
    session.caller_pauses(900, 12_800)
    session.commits("item_1")
    session.hears(200)
    assert sound_ms(session.caller_goes_on(13_100)) == 200
    session.hears(500)
    session.caller_ends(900, 13_600)
    session.commits("item_2")
    session.has_written("item_1", "A long story")
    assert session.has_written("item_2", "and its end.") == [CallerSaid("A long story and its end.", 900, 13_600)]


def test_utterances_are_told_in_the_order_in_which_they_were_spoken(session: Session):
    session.caller_speaks(1000, 2000)
    session.caller_speaks(3000, 4000)
    session.commits("item_1")
    session.commits("item_2")
    assert session.has_written("item_2", "second") == []
    assert session.has_written("item_1", "first") == [CallerSaid("first", 1000, 2000), CallerSaid("second", 3000, 4000)]


def test_less_than_a_tenth_of_a_second_is_committed_with_silence_behind_it(session: Session):
    session.hears(60)
    session.caller_begins(0)
    committed = session.caller_ends(0, 60)
    assert kinds(committed) == ["append", "commit"]
    assert sound_ms(committed) + 60 >= 100


def test_a_commit_that_was_empty_has_no_words(session: Session):
    session.caller_speaks(1000, 2000)
    error = {"type": "invalid_request_error", "code": "input_audio_buffer_commit_empty", "event_id": "piece-1"}
    told = session.says(type="error", error=error)
    assert of(told, CallerSaid) == [CallerSaid("", 1000, 2000)]


def test_an_utterance_that_is_not_transcribed_is_told_as_not_understood(session: Session):
    session.caller_speaks(1000, 2000)
    session.commits("item_1")
    [failed] = session.gives_up("item_1")
    assert isinstance(failed, VoiceFailed)
    assert not failed.is_final
    session.caller_speaks(4000, 5000)
    session.commits("item_2")
    assert session.has_written("item_2", "Hello.") == [CallerSaid("Hello.", 4000, 5000)]


def test_what_a_model_writes_where_there_were_no_words_is_none(session: Session):
    session.caller_speaks(1000, 2000)
    session.commits("item_1")
    unsure = [{"token": "Thank", "logprob": -3.0, "bytes": []}]
    assert session.has_written("item_1", "Thank you.", logprobs=unsure) == [CallerSaid("", 1000, 2000)]


def test_a_minute_of_sound_is_charged_for():
    session = Session("whisper-1")
    session.starts()
    session.caller_speaks(1000, 2000)
    session.commits("item_1")
    told = session.has_written("item_1", "Hello.", usage={"type": "duration", "seconds": 60.0})
    assert of(told, TokensUsed) == [TokensUsed("whisper-1", {}, pytest.approx(0.006))]


def test_tokens_are_counted_by_kind():
    session = Session("gpt-4o-transcribe")
    session.starts()
    session.caller_speaks(1000, 2000)
    session.commits("item_1")
    usage = {"type": "tokens", "input_token_details": {"text_tokens": 2, "audio_tokens": 14}, "output_tokens": 5}
    [used] = of(session.has_written("item_1", "Hello.", usage=usage), TokensUsed)
    assert (used.tokens["text_in"], used.tokens["audio_in"], used.tokens["text_out"]) == (2, 14, 5)


# -- links -------------------------------------------------------------------------------------------------------------


def test_words_under_way_are_sent_again_when_the_link_is_lost(session: Session):
    session.hears(1000)
    session.caller_begins(900)
    session.hears(1000)
    lost = session.loses_link()
    assert of(lost, OpenLink, WorkBegan) == [OpenLink(2), WorkBegan("transcriber")]
    session.hears(500)
    again = session.is_configured()
    assert (kinds(again), sound_ms(again)) == (["session.update", "append"], 2500 - 600)
    session.hears(500)
    session.caller_ends(900, 2600)
    session.commits("item_1")
    assert session.has_written("item_1", "Hello there.") == [CallerSaid("Hello there.", 900, 2600)]


def test_an_utterance_without_words_yet_is_sent_again_and_committed(session: Session):
    session.caller_speaks(1000, 2000)
    session.commits("item_1")
    session.loses_link()
    assert kinds(session.is_configured()) == ["session.update", "append", "commit"]
    session.commits("other_1")
    assert session.has_written("other_1", "Hello.") == [CallerSaid("Hello.", 1000, 2000)]


def test_what_was_written_down_before_the_loss_is_kept(session: Session):
    session.hears(1000)
    session.caller_begins(900)
    session.hears(1000)
    session.caller_pauses(900, 1800)
    session.has_written("item_1", "When do you open")
    session.caller_goes_on(2100)
    session.hears(1000)
    session.loses_link()
    again = session.is_configured()
    assert sound_ms(again) == 3000 - 1800
    session.caller_ends(900, 3000)
    session.commits("other_1")
    assert session.has_written("other_1", "on Sundays?") == [CallerSaid("When do you open on Sundays?", 900, 3000)]


def test_what_is_said_while_there_is_no_link_becomes_one_utterance(session: Session):
    session.loses_link()
    session.caller_speaks(1000, 2000)
    session.caller_speaks(3000, 4000)
    assert kinds(session.is_configured()) == ["session.update", "append", "commit"]
    session.commits("item_1")
    assert session.has_written("item_1", "Hello? Hello?") == [CallerSaid("Hello? Hello?", 1000, 4000)]


def test_a_link_that_cannot_be_had_again_in_time_fails_the_voice(session: Session):
    session.loses_link()
    effects = []
    for _ in range(20):
        if session.link:
            effects += session.loses_link()
        effects += session.passes(1.0)
    [failed] = of(effects, VoiceFailed)
    assert failed.is_final


def test_a_session_that_does_not_answer_is_replaced_once_and_then_given_up(session: Session):
    session.caller_speaks(1000, 2000)
    replaced = session.passes(5.1)
    assert of(replaced, CloseLink, OpenLink) == [CloseLink(1), OpenLink(2)]
    assert kinds(session.is_configured()) == ["session.update", "append", "commit"]
    assert of(session.passes(5.1), VoiceFailed)[0].is_final


def test_words_on_their_way_keep_a_slow_session_alive(session: Session):
    session.caller_speaks(1000, 2000)
    session.passes(4.0)
    session.writes("item_1", "Well")
    assert session.passes(4.0) == []


def test_a_session_near_its_end_is_replaced_in_a_silence():
    session = Session()
    session.starts(expires_in_s=300.0)
    session.passes(181.0)
    assert session.link == 2  # made ready beside the first
    session.caller_begins(0)
    assert of(session.is_configured(2), CloseLink) == []
    session.caller_ends(0, 500)
    session.says(1, type="input_audio_buffer.committed", item_id="item_1")
    told = session.says(
        1, type="conversation.item.input_audio_transcription.completed", item_id="item_1", transcript="Hello."
    )
    assert of(told, CallerSaid, CloseLink) == [CallerSaid("Hello.", 0, 500), CloseLink(1)]


# -- the caller has hung up --------------------------------------------------------------------------------------------


def test_the_last_words_are_waited_for(session: Session):
    session.caller_speaks(1000, 2000)
    assert of(session.closes(), CloseLink) == []
    session.commits("item_1")
    assert session.has_written("item_1", "Goodbye.") == [CallerSaid("Goodbye.", 1000, 2000), CloseLink(1)]


def test_last_words_that_never_come_are_not_waited_for_long(session: Session):
    session.caller_speaks(1000, 2000)
    session.closes()
    assert session.passes(5.1) == [CloseLink(1)]


def test_a_line_that_ends_in_silence_is_closed_at_once(session: Session):
    assert session.closes() == [CloseLink(1)]


# -- the session decides -----------------------------------------------------------------------------------------------


def test_a_session_that_decides_hears_everything_and_tells_when_the_caller_speaks(server: Session):
    assert sound_ms(server.hears(3000)) == 3000
    assert server.hears_speech("item_1", 700) == [SpeechStarted(1000)]
    assert server.hears_silence("item_1", 2500) == [UtteranceEnded(1000, 2000, b"")]
    server.commits("item_1")
    assert server.writes("item_1", "Hello") == [CallerSaying("Hello", 1000)]
    assert server.has_written("item_1", "Hello.") == [CallerSaid("Hello.", 1000, 2000)]


def test_sound_of_a_lost_session_is_heard_by_the_next_from_the_utterances_beginning(server: Session):
    server.hears(3000)
    server.hears_speech("item_1", 1000)
    lost = server.loses_link()
    assert of(lost, UtteranceEnded) == [UtteranceEnded(1300, 2980, b"")]
    server.hears(1000)
    assert sound_ms(server.is_configured()) == 4000 - 1000
    assert server.hears_speech("other_1", 100) == [SpeechStarted(1400)]


def test_what_a_clogged_session_may_not_have_read_is_sent_again_if_it_dies(server: Session):
    server.hears(5000)
    assert server.is_told(LinkClogged(1)) == [WorkBegan("transcriber")]
    server.hears(1000)
    server.loses_link()
    assert sound_ms(server.is_configured()) == pytest.approx(3000, abs=20)


def test_a_session_that_only_stopped_for_a_moment_goes_on(server: Session):
    server.hears(5000)
    server.is_told(LinkClogged(1))
    assert server.is_told(LinkFlows(1)) == [WorkEnded("transcriber")]
    server.loses_link()
    assert sound_ms(server.is_configured()) <= 20


def test_words_under_way_at_a_hang_up_are_committed_by_hand(server: Session):
    server.hears(3000)
    server.hears_speech("item_1", 1000)
    closed = server.closes()
    assert kinds(closed) == ["commit"]
    assert server.has_written("item_1", "It is Ann.")[0] == CallerSaid("It is Ann.", 1300, 2980)


def test_events_that_nobody_knows_mean_nothing(session: Session):
    assert session.says(type="something.new", item_id="x") == []
    assert session.is_told(LinkClogged(99)) == []
