"""Sentences that a Realtime model reads aloud: what it is asked, and what becomes of each whatever goes wrong."""

import pytest

from bot.speech.links import Spent
from bot.speech.reader_settings import Patience
from tests.support.reading_room import MODEL, ReadingRoom, reading_room

TEXT = "We are open from nine to six."


@pytest.fixture
def room() -> ReadingRoom:
    room = reading_room()
    room.opens()
    return room


# -- the session ------------------------------------------------------------------------------------------------------


def test_a_session_is_told_to_read_and_how_before_there_is_anything_to_read():
    room = reading_room(voice="cedar", speed=1.2, instructions="Cheerful and calm.", language="de")
    link = room.opens()
    [update] = room.told[link]
    session = update["session"]
    assert session["audio"]["output"] == {
        "format": {"type": "audio/pcm", "rate": 24000}, "voice": "cedar", "speed": 1.2,
    }  # fmt: skip
    assert session["audio"]["input"] == {"turn_detection": None}
    assert (session["type"], session["output_modalities"], session["tools"]) == ("realtime", ["audio"], [])
    assert "in German" in session["instructions"]
    assert session["instructions"].endswith("Cheerful and calm.")


def test_a_model_that_cannot_be_told_to_think_little_is_not_told_so_again():
    room = reading_room()
    room.asks(1)
    [link] = room.links
    room.says(link, "session.created", session={})
    assert room.told[link][-1]["session"]["reasoning"] == {"effort": "minimal"}
    room.complains(link, "invalid_value", event_id="configure")
    assert "reasoning" not in room.told[link][-1]["session"]
    room.says(link, "session.updated", session={})
    room.loses(link)
    [link] = room.links
    room.says(link, "session.created", session={})
    assert "reasoning" not in room.told[link][-1]["session"]


@pytest.mark.parametrize(
    ("code", "is_fatal"), [("invalid_value", True), ("invalid_api_key", True), ("server_error", False)]
)
def test_a_session_that_is_refused_fails_what_waits_for_it_unless_another_may_do(code: str, is_fatal: bool):
    room = reading_room(Patience(reconnect_s=1.0))
    room.asks(1)
    room.says(room.links[0], "session.created", session={})
    for event_id in ("configure", "configure-core"):
        if room.links:
            room.complains(room.links[0], code, event_id=event_id)
    assert (1 in room.ends) == is_fatal
    if is_fatal:
        assert (room.failure(1).is_fatal, room.failure(1).code) == (True, code)
        assert room.links == []


def test_a_session_that_would_speak_another_format_is_of_no_use():
    room = reading_room()
    room.asks(1)
    [link] = room.links
    audio = {"output": {"format": {"type": "audio/pcmu"}}}
    room.says(link, "session.updated", session={"audio": audio})
    assert room.failure(1).message == "the model would speak audio/pcmu and not audio/pcm"


# -- one sentence -----------------------------------------------------------------------------------------------------


def test_a_sentence_is_a_response_of_its_own_outside_the_conversation(room: ReadingRoom):
    [link] = room.links
    room.asks(1, "Where do you live?")
    [create] = room.creates(link)
    response = create["response"]
    assert (response["conversation"], response["output_modalities"]) == ("none", ["audio"])
    [item] = response["input"]
    text = "Say exactly this, word for word: Where do you live?"
    assert (item["role"], item["content"]) == ("user", [{"type": "input_text", "text": text}])
    assert response["metadata"] == {"sentence": create["event_id"]}


def test_its_sound_comes_in_whole_samples_and_its_cost_last(room: ReadingRoom):
    [link] = room.links
    room.asks(1)
    room.begins(link, "r1")
    room.speaks(link, "r1", b"\x01\x02\x03")
    assert room.sound[1] == b"\x01\x02"
    room.speaks(link, "r1", b"\x04\x05\x06")
    assert room.sound[1] == b"\x01\x02\x03\x04\x05\x06"
    assert 1 not in room.ends
    room.ends_response(link, "r1")
    counted = {"audio_in": 0, "audio_cached": 0, "audio_out": 40, "text_in": 40, "text_cached": 60, "text_out": 5}
    usd = (40 * 20 + 40 * 0.60 + 60 * 0.06 + 5 * 2.40) / 1e6
    assert room.ends[1] == Spent(MODEL, counted, pytest.approx(usd))
    assert room.noted == []


@pytest.mark.parametrize("delta", ["!!!", "AQ", "é"])
def test_a_piece_that_is_no_sound_is_passed_over(room: ReadingRoom, delta: str):
    [link] = room.links
    room.asks(1)
    room.begins(link, "r1")
    room.says(link, "response.output_audio.delta", response_id="r1", delta=delta)
    room.speaks(link, "r1", b"\x01\x02")
    room.ends_response(link, "r1")
    assert room.sound[1] == b"\x01\x02"
    assert isinstance(room.ends[1], Spent)


def test_sentences_at_the_same_time_are_told_apart_by_what_they_were_called(room: ReadingRoom):
    [link] = room.links
    room.asks(1)
    room.asks(2)
    room.begins(link, "b", request=1)
    room.begins(link, "a", request=0)
    room.speaks(link, "a", b"aa")
    room.speaks(link, "b", b"bb")
    room.ends_response(link, "b")
    room.speaks(link, "a", b"AA")
    assert room.sound == {1: b"aaAA", 2: b"bb"}
    assert list(room.ends) == [2]


def test_a_server_that_gives_no_names_back_is_taken_to_begin_in_order(room: ReadingRoom):
    [link] = room.links
    room.asks(1)
    room.asks(2)
    room.begins(link, "a", echoes=False)
    room.begins(link, "b", echoes=False)
    room.speaks(link, "b", b"bb")
    room.speaks(link, "a", b"aa")
    assert room.sound == {1: b"aa", 2: b"bb"}


def test_sound_of_a_response_that_nobody_asked_for_is_nobodys(room: ReadingRoom):
    [link] = room.links
    room.asks(1)
    room.says(link, "response.created", response={"id": "x", "metadata": {"sentence": "somebody else's"}})
    room.speaks(link, "x")
    assert room.sound == {}


# -- cancelling -------------------------------------------------------------------------------------------------------


def test_a_cancelled_sentence_is_called_off_by_name_and_its_late_sound_dropped(room: ReadingRoom):
    [link] = room.links
    room.asks(1)
    room.begins(link, "r1")
    room.speaks(link, "r1", b"11")
    room.cancels(1)
    assert room.cancelled(link) == ["r1"]
    room.speaks(link, "r1", b"22")
    room.ends_response(link, "r1", "We are", "cancelled")
    assert (room.sound, room.ends, room.events()) == ({1: b"11"}, {}, ["reading_cancelled"])
    assert room.noted[0].details["usd"] > 0


def test_one_without_a_name_yet_is_called_off_as_soon_as_it_has_one(room: ReadingRoom):
    [link] = room.links
    room.asks(1)
    room.cancels(1)
    assert room.cancelled(link) == []  # it would hit another one
    room.begins(link, "r1")
    assert room.cancelled(link) == ["r1"]


def test_one_that_still_waits_is_never_asked_for():
    room = reading_room()
    room.asks(1)
    room.cancels(1)
    [link] = room.links
    room.is_configured(link)
    assert room.texts(link) == []


def test_one_that_was_read_needs_no_cancelling(room: ReadingRoom):
    [link] = room.links
    room.asks(1)
    room.reads(link, "r1")
    room.cancels(1)
    assert room.cancelled(link) == []


# -- many at once -----------------------------------------------------------------------------------------------------


def test_a_full_session_gets_another_beside_it_and_beyond_the_limit_sentences_wait_in_order(room: ReadingRoom):
    [first] = room.links
    for number in range(70):
        room.asks(number, f"Sentence {number}.")
    assert len(room.links) == 8
    for link in room.links[1:]:
        room.is_configured(link)
    assert [len(room.texts(link)) for link in room.links] == [8] * 8
    asked = [text for link in room.links for text in room.texts(link)]
    assert sorted(asked) == sorted(f"Sentence {number}." for number in range(64))
    room.begins(first, "r0", request=0)
    room.speaks(first, "r0")
    room.ends_response(first, "r0", "Sentence 0.")
    assert room.texts(first)[-1] == "Sentence 64."


def test_where_a_server_reads_one_at_a_time_each_session_does_and_nobody_loses_a_try(room: ReadingRoom):
    [first] = room.links
    for number in (1, 2, 3):
        room.asks(number, f"Sentence {number}.")
    room.begins(first, "r1", request=0)
    for create in room.creates(first)[1:]:
        room.complains(first, "conversation_already_has_active_response", event_id=create["event_id"])
    assert room.events() == ["reader_serialised"]
    second, third = room.links[1:]
    room.is_configured(second)
    room.is_configured(third)
    assert {*room.texts(second), *room.texts(third)} == {"Sentence 2.", "Sentence 3."}
    room.loses(second)
    room.is_configured(room.links[-1])
    assert room.ends == {}, "a refusal for being too early was no try"


def test_a_session_that_is_busy_with_something_else_is_asked_again_after_a_moment(room: ReadingRoom):
    [link] = room.links
    room.asks(1)
    room.complains(link, None, "Conversation already has an active response", event_id=None)
    assert len(room.texts(link)) == 1
    room.passes(0.6)
    assert len(room.texts(link)) == 2


def test_further_sessions_close_when_they_are_idle_and_one_is_kept(room: ReadingRoom):
    for number in range(9):
        room.asks(number, TEXT)
    first, second = room.links
    room.is_configured(second)
    room.begins(second, "r")
    room.speaks(second, "r")
    room.ends_response(second, "r")
    for request in range(8):
        room.reads(first, f"r{request}", request=request)
    room.passes(59.0)
    assert room.links == [first, second]
    room.passes(2.0)
    assert room.links == [first]
    room.passes(600.0)
    assert room.links == [first]


# -- what goes wrong --------------------------------------------------------------------------------------------------


def test_a_lost_socket_costs_nothing_that_was_not_heard_yet(room: ReadingRoom):
    [link] = room.links
    room.asks(1, "Heard in part.")
    room.asks(2, "Not heard.")
    room.begins(link, "r1", request=0)
    room.speaks(link, "r1")
    room.loses(link)
    assert room.failure(1).message == "the socket broke"
    assert not room.failure(1).is_fatal
    [link] = room.links
    room.is_configured(link)
    assert room.texts(link) == ["Not heard."]
    room.reads(link, "r2", "Not heard.")
    assert isinstance(room.ends[2], Spent)


def test_a_sentence_that_loses_its_socket_twice_fails(room: ReadingRoom):
    room.asks(1)
    room.loses(room.links[0])
    room.is_configured(room.links[0])
    room.loses(room.links[0])
    assert room.failure(1).message == "the socket broke"


def test_a_server_that_stays_away_fails_what_waits_and_is_tried_again_when_there_is_something_to_read(
    room: ReadingRoom,
):
    room.asks(1)
    room.loses(room.links[0])
    for _ in range(40):
        if room.links:
            room.loses(room.links[0], reason="no connection")
        room.passes(0.5)
    assert room.failure(1).message == "no connection"
    assert room.links == []
    room.passes(1000)
    assert room.links == []
    room.asks(2)
    [link] = room.links
    room.is_configured(link)
    assert room.texts(link) == [TEXT]


@pytest.mark.parametrize(("code", "is_fatal"), [(401, True), (404, True), (3000, True), (503, False)])
def test_a_refused_handshake_is_tried_again_only_where_that_can_help(code: int, is_fatal: bool):
    room = reading_room()
    room.asks(1)
    room.loses(room.links[0], code)
    assert (1 in room.ends) == is_fatal
    if is_fatal:
        assert (room.failure(1).is_fatal, room.failure(1).code) == (True, str(code))


@pytest.mark.parametrize(
    ("code", "tries", "is_fatal"),
    [("rate_limit_exceeded", 2, False), ("insufficient_quota", 1, True), ("odd", 1, False)],
)
def test_a_failed_response_is_asked_for_once_more_if_it_may_be_better(
    room: ReadingRoom, code: str, tries: int, is_fatal: bool
):
    [link] = room.links
    room.asks(1)
    for number in range(tries):
        assert room.ends == {}
        room.begins(link, f"r{number}")
        details = {"type": "failed", "error": {"code": code, "message": "Not now."}}
        room.ends_response(link, f"r{number}", "", "failed", status_details=details)
        room.passes(1.0)
    assert len(room.texts(link)) == tries
    assert (room.failure(1).message, room.failure(1).is_fatal) == (f"{code}: Not now.", is_fatal)


def test_a_response_without_sound_is_asked_for_once_more(room: ReadingRoom):
    [link] = room.links
    room.asks(1)
    for number in range(2):
        room.begins(link, f"r{number}")
        room.ends_response(link, f"r{number}", "", "incomplete")
    assert room.failure(1).message == "it made no sound (status incomplete)"


def test_a_request_that_is_refused_fails_and_the_others_go_on(room: ReadingRoom):
    [link] = room.links
    room.asks(1)
    room.asks(2)
    room.complains(link, "invalid_value", event_id=room.creates(link)[0]["event_id"])
    assert room.failure(1).message == "invalid_value: No."
    room.reads(link, "r2")
    assert isinstance(room.ends[2], Spent)


def test_a_silent_session_is_replaced_and_its_sentences_are_asked_for_again(room: ReadingRoom):
    [link] = room.links
    room.asks(1)
    room.passes(5.1)
    assert link not in room.links
    room.is_configured(room.links[0])
    assert room.texts(room.links[0]) == [TEXT]


def test_a_stalled_sentence_does_not_take_its_neighbours_down(room: ReadingRoom):
    [link] = room.links
    room.asks(1, "Stalled.")
    room.asks(2)
    room.begins(link, "r1", request=0)
    room.begins(link, "r2", request=1)
    for _ in range(11):
        room.passes(0.5)
        room.speaks(link, "r2")
    assert room.cancelled(link) == ["r1"]
    assert room.texts(link) == ["Stalled.", TEXT, "Stalled."]
    assert room.links == [link]


def test_nobody_waits_for_ever_to_be_read():
    room = reading_room(Patience(connect_timeout_s=30.0))
    room.asks(1)
    room.passes(10.1)
    assert room.failure(1).message == "nobody was free to read for too long"


# -- renewal ----------------------------------------------------------------------------------------------------------


def test_a_session_near_its_end_gets_a_successor_that_reads_what_comes_while_it_ends_what_it_has():
    room = reading_room(Patience(stall_s=500.0))
    room.opens(expires_in_s=300.0)
    [old] = room.links
    room.asks(1, "The first one.")
    room.begins(old, "r1")
    room.speaks(old, "r1", b"11")
    room.passes(181.0)
    new = room.links[-1]
    room.is_configured(new)
    room.asks(2, "The second one.")
    assert room.texts(new) == ["The second one."]
    room.speaks(old, "r1", b"22")
    room.ends_response(old, "r1", "The first one.")
    assert room.sound[1] == b"1122"
    assert room.links == [new]


def test_a_session_that_lives_for_a_moment_only_is_not_renewed_all_the_time():
    room = reading_room()
    room.opens(expires_in_s=10.0)
    for _ in range(4):
        room.passes(4.9)
        assert len(room.links) == 1
        room.passes(0.2)
        room.is_configured(room.links[-1], expires_in_s=10.0)
    assert len(room.told) == 5


def test_what_an_expired_session_was_reading_is_read_by_the_next(room: ReadingRoom):
    [link] = room.links
    room.asks(1)
    room.complains(link, "session_expired")
    assert link not in room.links
    room.is_configured(room.links[0])
    assert room.texts(room.links[0]) == [TEXT]


# -- reading what is there --------------------------------------------------------------------------------------------


def test_an_answer_in_the_place_of_a_reading_is_told_the_log_without_its_words(room: ReadingRoom):
    [link] = room.links
    room.asks(1, "Can you tell me your name, please?")
    room.reads(link, "r1", "Of course, I am happy to help. My name is Marin.")
    assert isinstance(room.ends[1], Spent)
    [noted] = room.noted
    assert (noted.event, noted.is_warning) == ("text_misread", True)
    assert noted.details == {"model": MODEL, "given": 7, "spoken": 11, "wrong": 10, "sound_ms": 0}
    assert "Marin" not in str(noted)


def lose_trust(room: ReadingRoom, link: int) -> None:
    for number in range(3):
        room.asks(1000 + number)
        room.reads(link, f"miss{number}", "I cannot help you with that, sorry.")
    assert room.events()[-1] == "reader_distrusted"


def test_after_several_misses_nothing_is_heard_that_was_not_checked(room: ReadingRoom):
    [link] = room.links
    lose_trust(room, link)
    room.asks(1)
    room.begins(link, "r1")
    room.speaks(link, "r1", b"11")
    assert 1 not in room.sound
    room.ends_response(link, "r1")
    assert room.sound[1] == b"11"
    assert isinstance(room.ends[1], Spent)


def test_a_checked_sentence_that_is_wrong_is_read_again_and_then_fails(room: ReadingRoom):
    [link] = room.links
    lose_trust(room, link)
    room.asks(1)
    room.reads(link, "r1", "I beg your pardon?")
    assert (1 in room.sound, 1 in room.ends) == (False, False)
    room.reads(link, "r2")
    assert room.sound[1] == b"\x01\x02"
    spent = room.ends[1]
    assert isinstance(spent, Spent)
    assert spent.tokens["audio_out"] == 80  # both were charged
    room.asks(2)
    room.reads(link, "r3", "I beg your pardon?")
    room.reads(link, "r4", "I beg your pardon?")
    assert 2 not in room.sound
    assert room.failure(2).message == "it did not read what it was given"


def test_a_sentence_that_is_to_be_kept_is_checked_and_read_until_it_is_right(room: ReadingRoom):
    [link] = room.links
    room.asks(1, is_checked=True)
    for number in range(3):
        room.reads(link, f"r{number}", "Why do you want to know?")
    assert (1 in room.sound, 1 in room.ends) == (False, False)
    room.reads(link, "r3")
    assert room.sound[1] == b"\x01\x02"
    room.asks(2, is_checked=True)
    for number in range(4, 8):
        room.reads(link, f"r{number}", "Why do you want to know?")
    assert (2 in room.sound, room.failure(2).code) == (False, "misread")


def test_many_right_readings_in_a_row_win_trust_back(room: ReadingRoom):
    [link] = room.links
    lose_trust(room, link)
    for number in range(20):
        room.asks(number)
        room.reads(link, f"r{number}")
    assert room.events()[-1] == "reader_trusted"
    room.asks(99)
    room.begins(link, "r99")
    room.speaks(link, "r99", b"11")
    assert room.sound[99] == b"11"


def test_a_reader_that_does_not_stop_is_stopped(room: ReadingRoom):
    [link] = room.links
    room.asks(1, "Yes.")
    room.begins(link, "r1")
    for _ in range(8):
        room.speaks(link, "r1", bytes(48_000))
    assert room.cancelled(link) == ["r1"]
    assert len(room.sound[1]) == 7 * 48_000
    room.ends_response(link, "r1", "Yes. And then", "cancelled")
    assert isinstance(room.ends[1], Spent)
    assert room.events() == ["text_misread"]
