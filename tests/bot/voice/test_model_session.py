"""A session is made ready, lost, had again and renewed, whatever it is used for."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.events import CloseLink, FromModel, LinkClosed, OpenLink, ToModel, VoiceFailed, VoiceWarned, WorkBegan
from bot.voice.model_session import Began, Failed, Lost, ModelSession, SpareReady, Step


@dataclass(frozen=True)
class Settings:
    session: dict[str, Any] = field(default_factory=lambda: {"speed": 1.0, "audio": {}})
    core_session: dict[str, Any] = field(default_factory=lambda: {"audio": {}})
    connect_timeout_s: float = 5.0
    reconnect_s: float = 8.0
    renew_before_s: float = 120.0


@pytest.fixture
def session() -> ModelSession:
    one = ModelSession("model", Settings(), epoch_s=1000.0)
    assert one.start(0.0) == [WorkBegan("model"), OpenLink(1)]
    return one


def says(session: ModelSession, link: int, now: float = 0.0, /, **event: Any) -> list[Step]:
    return list(session.receive(FromModel(link, json.dumps(event)), now))


def is_told(steps: list[Step]) -> str:
    [message] = [step for step in steps if isinstance(step, ToModel)]
    return json.loads(message.message)["event_id"]


def is_ready(session: ModelSession, link: int, now: float = 0.0, *, expires_in_s: float = 3600.0) -> list[Step]:
    says(session, link, now, type="session.created", session={"expires_at": 1000.0 + now + expires_in_s})
    return says(session, link, now, type="session.updated", session={})


def with_spare(session: ModelSession) -> ModelSession:
    """The session nears its end, and another is ready beside it."""
    is_ready(session, 1, expires_in_s=130.0)
    assert session.on_deadline(10.0) == [OpenLink(2)]
    assert is_ready(session, 2, 10.0) == [SpareReady()]
    return session


def test_a_session_begins_when_its_settings_are_agreed(session: ModelSession):
    assert not session.is_ready
    assert is_ready(session, 1) == [Began()]
    assert session.number == 1


def test_settings_that_were_refused_once_are_not_tried_on_the_next_session(session: ModelSession):
    assert is_told(says(session, 1, type="session.created")) == "configure"
    assert is_told(says(session, 1, type="error", error={"code": "unknown_parameter"})) == "configure-core"
    session.receive(LinkClosed(1, "the socket broke"), 1.0)
    assert is_told(says(session, 2, 1.0, type="session.created")) == "configure-core"


def test_what_the_model_says_is_handed_on_once_the_session_has_begun(session: ModelSession):
    assert says(session, 1, type="response.created") == []
    is_ready(session, 1)
    [event] = says(session, 1, type="response.created")
    assert event.type == "response.created"


def test_a_lost_session_is_tried_again_at_once(session: ModelSession):
    is_ready(session, 1)
    steps = session.receive(LinkClosed(1, "the socket broke"), 5.0)
    assert [type(step) for step in steps] == [CloseLink, OpenLink, VoiceWarned, WorkBegan, Lost]
    assert session.number == 0


def test_a_fault_that_will_be_no_different_the_next_time_is_the_end(session: ModelSession):
    is_ready(session, 1)
    steps = says(session, 1, type="error", error={"code": "insufficient_quota", "message": "no more"})
    assert steps[0] == Failed()
    assert steps[-1] == VoiceFailed("the model: insufficient_quota: no more", is_final=True)


def test_a_session_made_ready_takes_over_when_its_owner_has_nothing_under_way(session: ModelSession):
    with_spare(session)
    assert session.renew(20.0) == [Began(is_seamless=True), CloseLink(1)]
    assert session.number == 2
    assert session.renew(21.0) == []


def test_a_fault_of_the_one_beside_it_leaves_the_present_session_alone(session: ModelSession):
    with_spare(session)
    assert says(session, 2, 11.0, type="error", error={"code": "anything"}) == []
    steps = says(session, 2, 12.0, type="error", error={"code": "insufficient_quota"})
    assert [type(step) for step in steps] == [CloseLink, VoiceWarned]
    assert session.number == 1
