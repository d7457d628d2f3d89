"""A caller who speaks over an answer, and what the server believes they heard of it."""

import base64

import pytest

from bot.speech.links import Role, Said, Say
from tests.support.realtime_client import Client, types

HOURS = [Say("We are open from nine to six.", "answer"), Say("Monday to Saturday.", "answer")]
CUT = [
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "response.output_item.done",
    "conversation.item.done",
    "response.done",
    "rate_limits.updated",
]


@pytest.fixture
def speaking() -> Client:
    """The first sentence is sounding, the second one is still to come."""
    client = Client([HOURS, [Say("Of course.", "answer")]], ["When do you open?", "And on Sunday?"])
    client.hears(400)
    client.hears_turn()
    client.works(6)
    return client


def answer_id(client: Client) -> str:
    return client.last("response.output_item.added")["item"]["id"]


def test_speech_over_an_answer_closes_what_was_open_and_calls_off_the_work(speaking: Client):
    [job] = speaking.jobs
    events = speaking.hears_speech()
    assert types(events) == ["input_audio_buffer.speech_started", *CUT]
    response = events[-2]["response"]
    assert (response["status"], response["status_details"]) == (
        "cancelled",
        {"type": "cancelled", "reason": "turn_detected"},
    )
    assert [item["status"] for item in response["output"]] == ["incomplete"]
    assert speaking.cancelled[-1] == job.job_id
    assert response["usage"]["output_token_details"]["audio_tokens"] > 0


def test_a_truncated_answer_loses_its_words_and_the_history_keeps_those_that_were_heard(speaking: Client):
    speaking.hears_speech()
    [truncated] = speaking.sends(
        "conversation.item.truncate", item_id=answer_id(speaking), content_index=0, audio_end_ms=600
    )
    assert truncated.keys() == {"type", "event_id", "item_id", "content_index", "audio_end_ms"}
    assert truncated["audio_end_ms"] == 600
    speaking.hears(600)
    speaking.works()
    first, heard, second = speaking.histories[-1]
    assert (first, second) == (Said(Role.CALLER, "When do you open?"), Said(Role.CALLER, "And on Sunday?"))
    assert heard.role is Role.BOT
    assert "We are open".startswith(heard.text[:11])
    assert 0 < len(heard.text.split()) < 7
    [part] = speaking.sends("conversation.item.retrieve", item_id=answer_id_of(speaking, 0))[0]["item"]["content"]
    assert "transcript" not in part
    assert len(base64.b64decode(part["audio"])) == pytest.approx(600 * 48, abs=200)


def answer_id_of(client: Client, number: int) -> str:
    added = [event for event in client.events if event["type"] == "response.output_item.added"]
    return added[number]["item"]["id"]


def test_an_answer_of_which_nothing_was_heard_leaves_the_question_open(speaking: Client):
    speaking.hears_speech()
    speaking.sends("conversation.item.truncate", item_id=answer_id(speaking), content_index=0, audio_end_ms=0)
    speaking.hears(600)
    speaking.works()
    assert speaking.histories[-1] == (Said(Role.CALLER, "When do you open? And on Sunday?"),)


def test_an_answer_that_was_all_generated_is_truncated_while_it_still_plays(speaking: Client):
    speaking.works()
    events = speaking.hears_speech()
    assert types(events) == ["input_audio_buffer.speech_started"]
    speaking.sends("conversation.item.truncate", item_id=answer_id(speaking), content_index=0, audio_end_ms=1500)
    speaking.hears(600)
    speaking.works()
    heard = [said.text for said in speaking.histories[-1] if said.role is Role.BOT]
    assert heard[0] == "We are open from nine to six."
    assert heard[1] in ("Monday", "Monday to")


def test_speech_before_the_first_sound_cancels_an_answer_of_nothing():
    client = Client([HOURS])
    client.hears_turn()
    client.hears(200)
    events = client.hears_speech()
    assert types(events) == ["input_audio_buffer.speech_started", "response.done", "rate_limits.updated"]
    assert events[1]["response"]["output"] == []


def test_a_client_may_want_to_decide_about_interruptions_itself():
    detection = {"type": "server_vad", "interrupt_response": False, "create_response": False}
    client = Client([HOURS], turn_detection=detection)
    client.hears_turn()
    client.works()
    client.sends("response.create")
    client.works(4)
    assert types(client.hears_speech()) == ["input_audio_buffer.speech_started"]
    assert types(client.works())[-2:] == ["response.done", "rate_limits.updated"]


def test_an_automatic_answer_while_another_is_given_fails():
    client = Client([HOURS], turn_detection={"type": "server_vad", "interrupt_response": False})
    client.hears_turn()
    client.works(4)
    client.hears_turn()
    assert client.error()["code"] == "conversation_already_has_active_response"


def test_a_client_cancels_an_answer(speaking: Client):
    assert types(speaking.sends("response.cancel")) == CUT
    assert speaking.last("response.done")["response"]["status_details"]["reason"] == "client_cancelled"
    speaking.sends("response.cancel", event_id="again")
    error = speaking.error()
    assert (error["code"], error["event_id"]) == ("response_cancel_not_active", "again")


def test_one_answer_at_a_time(speaking: Client):
    speaking.sends("response.create")
    error = speaking.error()
    assert error["code"] == "conversation_already_has_active_response"
    assert speaking.last("response.created")["response"]["id"] in error["message"]
    speaking.works()
    assert speaking.last("response.done")["response"]["status"] == "completed"


@pytest.mark.parametrize(
    ("item", "end_ms", "code", "message"),
    [
        ("answer", 9000, "invalid_value", "ms is already shorter than 9000ms"),
        ("caller", 100, None, "Only model output audio messages can be truncated"),
        ("nobody", 100, "item_truncate_invalid_item_id", "does not exist"),
        ("answer", -1, "invalid_value", "between 0 and"),
    ],
)
def test_what_cannot_be_truncated(speaking: Client, item: str, end_ms: int, code: str | None, message: str):
    speaking.works()
    ids = {
        "answer": answer_id(speaking),
        "caller": speaking.last("input_audio_buffer.committed")["item_id"],
        "nobody": "item_none",
    }
    speaking.sends("conversation.item.truncate", item_id=ids[item], content_index=0, audio_end_ms=end_ms)
    error = speaking.error()
    assert error["code"] == code
    assert message in error["message"]


def test_an_answer_in_the_making_can_be_truncated(speaking: Client):
    speaking.sends("conversation.item.truncate", item_id=answer_id(speaking), content_index=0, audio_end_ms=100)
    assert speaking.events[-1]["type"] == "conversation.item.truncated"
    speaking.works()
    assert speaking.last("response.done")["response"]["status"] == "completed"


def test_responses_beside_the_conversation_leave_no_trace_in_it_and_are_not_interrupted(speaking: Client):
    question = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Sum it up."}]}
    created = speaking.sends(
        "response.create",
        response={
            "conversation": "none",
            "output_modalities": ["text"],
            "metadata": {"topic": "summary"},
            "input": [{"type": "item_reference", "id": answer_id(speaking)}, question],
        },
    )
    assert types(created) == ["response.created"]
    beside = created[0]["response"]
    assert (beside["conversation_id"], beside["metadata"]) == (None, {"topic": "summary"})
    speaking.hears_speech()
    events = [event for event in speaking.works() if event.get("response_id", beside["id"]) == beside["id"]]
    told = types(events)
    assert told[0] == "response.output_item.added"
    assert not [kind for kind in told if kind.startswith("conversation.")]
    done = next(event["response"] for event in events if event["type"] == "response.done")
    assert (done["status"], done["metadata"]) == ("completed", {"topic": "summary"})
    assert speaking.histories[-1][-1] == Said(Role.CALLER, "Sum it up.")
