"""The conversation's items: made, placed, fetched and deleted by the client."""

import base64
from typing import Any

import pytest

from bot.speech.links import Role, Said
from media.g711 import encode_ulaw
from tests.support.realtime_client import Client, types
from tests.support.tones import speech


def said(text: str, **fields: Any) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}], **fields}


@pytest.fixture
def client() -> Client:
    client = Client()
    for item_id in ("one", "two"):
        client.sends("conversation.item.create", item=said(item_id, id=item_id))
    return client


@pytest.mark.parametrize(
    ("after", "before", "order"),
    [
        ({}, "two", "one two three"),
        ({"previous_item_id": None}, "two", "one two three"),
        ({"previous_item_id": "root"}, None, "three one two"),
        ({"previous_item_id": "one"}, "one", "one three two"),
    ],
)
def test_an_item_goes_where_the_client_wants_it(client: Client, after: dict[str, Any], before: str | None, order: str):
    added, done = client.sends("conversation.item.create", item=said("three", id="three"), **after)
    assert (added["type"], done["type"]) == ("conversation.item.added", "conversation.item.done")
    assert (added["previous_item_id"], done["previous_item_id"]) == (before, before)
    assert added["item"] == {**said("three", id="three"), "status": "completed"}
    client.sends("response.create")
    client.works()
    assert client.histories[-1] == (Said(Role.CALLER, order),)


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ({"item": said("x"), "previous_item_id": "none"}, "item_create_invalid_previous_item_id"),
        ({"item": said("x", id="one")}, "item_create_duplicate_id"),
        ({"item": said("x", id="x" * 33)}, "string_above_max_length"),
        ({"item": {"type": "message", "role": "user", "content": [{"type": "input_image"}]}}, "invalid_value"),
        ({"item": {"type": "message", "role": "king", "content": []}}, "invalid_value"),
        ({"item": {"type": "message", "role": "user"}}, "missing_required_parameter"),
        ({"item": {"type": "song"}}, "invalid_value"),
        ({"item": {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": "?"}]}},
         "invalid_value"),
        ({}, "missing_required_parameter"),
    ],
)  # fmt: skip
def test_an_item_that_cannot_be_added_changes_nothing(client: Client, event: dict[str, Any], code: str):
    client.sends("conversation.item.create", **event)
    assert client.error()["code"] == code
    assert client.sends("conversation.item.create", item=said("three"))[0]["previous_item_id"] == "two"


def test_a_deleted_item_is_forgotten(client: Client):
    [deleted] = client.sends("conversation.item.delete", item_id="one")
    assert (deleted["type"], deleted["item_id"]) == ("conversation.item.deleted", "one")
    client.sends("response.create")
    client.works()
    assert client.histories[-1] == (Said(Role.CALLER, "two"),)
    client.sends("conversation.item.delete", item_id="one")
    assert client.error()["code"] == "item_delete_invalid_item_id"
    client.sends("conversation.item.retrieve", item_id="one")
    assert client.error()["code"] == "item_retrieve_invalid_item_id"


def test_the_callers_sound_can_be_fetched(client: Client):
    item_id = client.hears_turn(800)[0]["item_id"]
    [retrieved] = client.sends("conversation.item.retrieve", item_id=item_id)
    [part] = retrieved["item"]["content"]
    assert (part["type"], part["format"]) == ("input_audio", "pcm16")
    assert len(base64.b64decode(part["audio"])) / 48 > 800


def test_sound_can_be_given_as_an_item(client: Client):
    sound = base64.b64encode(encode_ulaw(speech(700))).decode()
    given = {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": sound}]}
    added, _ = client.sends("conversation.item.create", item=given)
    assert added["item"]["content"] == [{"type": "input_audio", "transcript": None}]
    client.sends("response.create")
    client.works()
    assert client.histories[-1] == (Said(Role.CALLER, "one two words"),)


def test_an_answer_from_other_items_than_the_conversations(client: Client):
    client.sends("response.create", response={"input": [said("Something else.")]})
    answered = client.works()
    assert client.histories[-1] == (Said(Role.CALLER, "Something else."),)
    assert "conversation.item.added" in types(answered)
    client.sends("response.create", response={"input": [{"type": "item_reference", "id": "none"}]})
    assert client.error()["code"] == "item_retrieve_invalid_item_id"
