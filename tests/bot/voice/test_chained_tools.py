"""A chained voice whose responder is a model that uses tools, in plain calls."""

from collections.abc import Sequence

import pytest

from bot.events import (
    CancelJob,
    CancelReply,
    Compose,
    Composed,
    JobFailed,
    NoteReply,
    PartComposed,
    ReplyAudio,
    ReplyBegun,
    ReplyEnded,
    ReportTool,
    Respond,
    ResumeReply,
    RunTool,
    SentenceBegun,
    SoundMade,
    Synthesize,
    Synthesized,
    ToolRan,
    ToolRequested,
    Transcribe,
    Transcribed,
    UtteranceEnded,
    VoiceFailed,
    WorkBegan,
    WorkEnded,
)
from bot.speech.links import Role, Said, Say, Transcript, UseTool
from bot.voice.base import Effect
from bot.voice.chained import ChainedVoice
from media.playout import Position

NOWHERE = Position(0, 0, 0)
LOOK = UseTool("lookup_order", {"number": "7"}, "call_1", '{"number":7}')
QUESTION = Said(Role.CALLER, "Where is my order?")
FOUND = Said(Role.TOOL, '{"status":"sent"}', "lookup_order", "call_1", '{"number":7}')


class Talk:
    """A voice whose links do what the test says, and whose speaker is instant unless told otherwise."""

    def __init__(self) -> None:
        self.voice = ChainedVoice(speaker_rate_hz=8000, line_rate_hz=8000, encode=lambda pcm: pcm[::2])
        self.effects: list[Effect] = []
        self.is_speaker_instant = True
        self.now = 100.0

    def happens(self, event: object) -> list[Effect]:
        told = list(self.voice.receive(event, self.now))  # type: ignore[arg-type]
        self.effects += told
        for effect in tuple(told):
            if isinstance(effect, Synthesize) and self.is_speaker_instant:
                told += self.happens(SoundMade(effect.job_id, bytes(1600)))
                told += self.happens(Synthesized(effect.job_id))
        return told

    def is_asked(self, text: str, reply_id: str, start_ms: int = 0) -> list[Effect]:
        [job] = of(self.happens(UtteranceEnded(start_ms, start_ms + 900, text.encode())), Transcribe)
        self.happens(Transcribed(job.job_id, Transcript(text)))
        return self.happens(Respond(reply_id))

    def composes(self, *parts: Say | UseTool, is_whole: bool = True) -> list[Effect]:
        """The responder's next answer."""
        job = self.compose.job_id
        effects: list[Effect] = []
        for part in parts:
            effects += self.happens(PartComposed(job, part))
        return effects + (self.happens(Composed(job)) if is_whole else [])

    @property
    def compose(self) -> Compose:
        """The last request to the responder."""
        return of(self.effects, Compose)[-1]

    @property
    def tools_run(self) -> list[RunTool]:
        return of(self.effects, RunTool)


def of(effects: Sequence[Effect], *kinds: type) -> list:
    return [effect for effect in effects if isinstance(effect, kinds)]


@pytest.fixture
def talk() -> Talk:
    return Talk()


def test_a_tools_result_is_answered_within_the_same_reply(talk: Talk):
    talk.is_asked("Where is my order?", "r1")
    wanted = talk.composes(LOOK)
    assert wanted == [WorkBegan("call_1"), RunTool(talk.tools_run[0].job_id, "lookup_order", '{"number":7}')]
    assert talk.happens(ToolRan(talk.tools_run[0].job_id, '{"status":"sent"}')) == [
        talk.compose,
        WorkEnded("call_1", owes_answer=True),
    ]
    assert talk.compose.history == (QUESTION, FOUND)
    answer = talk.composes(Say("It was sent."))
    assert [type(effect) for effect in answer] == [SentenceBegun, Synthesize, ReplyAudio, ReplyEnded]
    assert {effect.reply_id for effect in of(answer, SentenceBegun, ReplyAudio, ReplyEnded)} == {"r1"}


def test_words_before_a_tool_stand_apart_while_it_works_and_count_as_said(talk: Talk):
    talk.is_asked("Where is my order?", "r1")
    spoken = talk.composes(Say("One moment."), LOOK)
    assert spoken[-2:] == [ReplyBegun("r1+"), ReplyEnded("r1")]
    talk.happens(ToolRan(talk.tools_run[0].job_id, '{"status":"sent"}'))
    assert talk.compose.history == (QUESTION, Said(Role.BOT, "One moment."), FOUND)
    answer = talk.composes(Say("It was sent."))
    assert of(answer, ReplyEnded) == [ReplyEnded("r1+")]
    talk.happens(NoteReply("r1", "One moment.", 500))
    talk.happens(NoteReply("r1+", "It was sent.", 500))
    talk.is_asked("Thanks.", "r2", 9000)
    assert talk.compose.history[1:4] == (
        Said(Role.BOT, "One moment."), FOUND, Said(Role.BOT, "It was sent."),
    )  # fmt: skip


def test_a_tool_that_is_quick_leaves_the_reply_in_one_piece(talk: Talk):
    talk.is_speaker_instant = False
    talk.is_asked("Where is my order?", "r1")
    first = of(talk.composes(Say("One moment."), LOOK), Synthesize)[0]
    talk.happens(ToolRan(talk.tools_run[0].job_id, '{"status":"sent"}'))
    assert talk.composes(Say("It was sent.")) == []  # the first sentence is not made yet
    then = talk.happens(Synthesized(first.job_id))
    assert of(then, SentenceBegun) == [SentenceBegun("r1", "It was sent.")]
    assert of(talk.happens(Synthesized(of(then, Synthesize)[0].job_id)), ReplyEnded) == [ReplyEnded("r1")]


def test_several_tools_of_one_answer_are_run_once_each_and_answered_together(talk: Talk):
    talk.is_asked("Where is my order?", "r1")
    other = UseTool("opening_hours", {}, "call_2", "{}")
    talk.composes(LOOK, other, other)
    first, second = talk.tools_run
    assert talk.happens(ToolRan(second.job_id, "nine to six")) == [WorkEnded("call_2")]
    talk.happens(JobFailed(first.job_id, "no answer"))
    assert [said.text for said in talk.compose.history if said.role is Role.TOOL] == ["error: no answer", "nine to six"]


def test_a_result_that_comes_while_the_model_still_writes_waits_for_its_last_word(talk: Talk):
    talk.is_asked("Where is my order?", "r1")
    first = talk.compose
    talk.composes(LOOK, is_whole=False)
    assert talk.happens(ToolRan(talk.tools_run[0].job_id, "sent")) == [WorkEnded("call_1")]
    [again] = of(talk.happens(Composed(first.job_id)), Compose)
    assert again.history[-1].text == "sent"


def test_a_model_that_uses_tools_for_ever_fails(talk: Talk):
    talk.is_asked("Where is my order?", "r1")
    for turn in range(8):
        talk.composes(UseTool("lookup_order", {}, f"call_{turn}", "{}"))
        last = talk.happens(ToolRan(talk.tools_run[-1].job_id, "sent"))
    assert of(last, VoiceFailed)
    assert len(of(talk.effects, Compose)) == 8


def test_a_question_asked_while_a_tool_works_is_answered_with_its_result(talk: Talk):
    talk.is_asked("Where is my order?", "r1")
    talk.composes(LOOK)
    assert of(talk.happens(CancelReply("r1", NOWHERE, "")), CancelJob) == []
    assert of(talk.is_asked("And what did it cost?", "r2", 5000), Compose) == []
    talk.happens(ToolRan(talk.tools_run[0].job_id, '{"status":"sent"}'))
    assert talk.compose.history == (QUESTION, FOUND, Said(Role.CALLER, "And what did it cost?"))
    answer = talk.composes(Say("Nine euros."))
    assert of(answer, ReplyEnded) == [ReplyEnded("r2")]
    assert len(talk.tools_run) == 1


def test_a_tool_that_is_done_while_the_caller_speaks_is_in_the_next_answer(talk: Talk):
    talk.is_asked("Where is my order?", "r1")
    talk.composes(Say("One moment."), LOOK)
    talk.happens(CancelReply("r1", NOWHERE, "One"))
    talk.happens(CancelReply("r1+", NOWHERE, ""))
    assert talk.happens(ToolRan(talk.tools_run[0].job_id, '{"status":"sent"}')) == [WorkEnded("call_1")]
    talk.is_asked("And what did it cost?", "r2", 5000)
    assert talk.compose.history == (QUESTION, Said(Role.BOT, "One"), FOUND, Said(Role.CALLER, "And what did it cost?"))


def test_after_a_cough_a_tools_result_is_answered_under_the_new_name(talk: Talk):
    talk.is_asked("Where is my order?", "r1")
    talk.composes(Say("One moment please."), LOOK)
    talk.happens(CancelReply("r1", NOWHERE, "One"))
    talk.happens(CancelReply("r1+", NOWHERE, ""))
    talk.happens(ToolRan(talk.tools_run[0].job_id, '{"status":"sent"}'))
    assert of(talk.happens(ResumeReply("r1+", "r3")), Compose) == [talk.compose]
    assert of(talk.composes(Say("It was sent.")), ReplyEnded) == [ReplyEnded("r3")]


def test_a_tool_asked_for_during_a_cough_waits_for_its_end(talk: Talk):
    talk.is_asked("Where is my order?", "r1")
    talk.composes(Say("One moment please."), is_whole=False)
    talk.happens(CancelReply("r1", NOWHERE, "One"))
    assert talk.composes(LOOK) == []
    resumed = talk.happens(ResumeReply("r1", "r2"))
    assert len(of(resumed, RunTool)) == 1
    talk.happens(ToolRan(talk.tools_run[0].job_id, '{"status":"sent"}'))
    said = [said.text for said in talk.compose.history if said.role is Role.BOT]
    assert said == ["One", "moment please."]


def test_a_tool_asked_for_during_an_interruption_is_never_used(talk: Talk):
    talk.is_asked("Where is my order?", "r1")
    talk.composes(Say("One moment please."), is_whole=False)
    talk.happens(CancelReply("r1", NOWHERE, "One"))
    talk.composes(LOOK)
    talk.is_asked("Never mind.", "r2", 5000)
    assert talk.tools_run == []
    assert [said.role for said in talk.compose.history] == [Role.CALLER, Role.BOT, Role.CALLER]


# -- what the call does ------------------------------------------------------------------------------------------------


def test_a_transfer_waits_for_the_words_before_it_and_is_remembered(talk: Talk):
    transfer = UseTool("transfer", {"destination": "sales"}, "call_9", '{"destination":"sales"}')
    talk.is_asked("Sales, please.", "r1")
    spoken = talk.composes(Say("I put you through."), transfer)
    assert spoken[-2:] == [ToolRequested("transfer", {"destination": "sales"}, "call_9"), ReplyEnded("r1")]
    talk.happens(NoteReply("r1", "I put you through.", 900))
    talk.happens(ReportTool("r2", "transfer", "nobody could be reached", "call_9"))
    assert talk.compose.history == (
        Said(Role.CALLER, "Sales, please."),
        Said(Role.BOT, "I put you through."),
        Said(Role.TOOL, "nobody could be reached", "transfer", "call_9", '{"destination":"sales"}'),
    )
    assert of(talk.composes(Say("I am sorry.")), ReplyEnded) == [ReplyEnded("r2")]


def test_hanging_up_waits_for_tools_of_the_same_answer_and_asks_nothing_more(talk: Talk):
    talk.is_asked("Cancel my order. Goodbye.", "r1")
    spoken = talk.composes(Say("Goodbye."), LOOK, UseTool("hang_up", {}, "call_2", "{}"))
    assert of(spoken, ToolRequested, Compose) == []
    ended = talk.happens(ToolRan(talk.tools_run[0].job_id, "done"))
    assert of(ended, ToolRequested) == [ToolRequested("hang_up", {}, "call_2")]
    assert of(ended, ReplyEnded) == [ReplyEnded("r1+")]


def test_a_hanging_up_that_the_caller_prevented_is_remembered_as_not_done(talk: Talk):
    talk.is_asked("Goodbye.", "r1")
    talk.composes(Say("Goodbye."), UseTool("hang_up", {}, "call_2", "{}"))
    assert talk.happens(ReportTool("", "hang_up", "not done", "call_2", wants_reply=False)) == []
    talk.happens(CancelReply("r1", NOWHERE, "Good"))
    talk.is_asked("One more thing.", "r2", 5000)
    assert talk.compose.history[1:] == (
        Said(Role.BOT, "Good"),
        Said(Role.TOOL, "not done", "hang_up", "call_2", "{}"),
        Said(Role.CALLER, "One more thing."),
    )


def test_a_message_that_the_model_took_down_is_kept_at_once_and_answered(talk: Talk):
    message = UseTool("take_message", {"message": "Call Ann."}, "call_3", '{"message":"Call Ann."}')
    talk.is_asked("Tell them to call Ann.", "r1")
    job = talk.compose.job_id
    assert talk.happens(PartComposed(job, message)) == [ToolRequested("take_message", message.arguments, "call_3")]
    talk.happens(ReportTool("r2", "take_message", "kept", "call_3"))
    talk.happens(Composed(job))
    assert talk.compose.history[-1] == Said(Role.TOOL, "kept", "take_message", "call_3", message.json)
    assert of(talk.composes(Say("I have noted that.")), ReplyEnded) == [ReplyEnded("r1")]


def test_a_message_after_the_tone_is_known_by_the_models_own_call(talk: Talk):
    talk.is_asked("I want to leave a message.", "r1")
    talk.composes(Say("After the tone."), UseTool("take_message", {}, "call_4", "{}"))
    talk.happens(NoteReply("r1", "After the tone.", 900))
    talk.happens(ReportTool("r2", "take_message", "This is Ann."))
    assert talk.compose.history[-1] == Said(Role.TOOL, "This is Ann.", "take_message", "call_4", "{}")


def test_a_reply_to_which_there_is_nothing_to_add_ends(talk: Talk):
    talk.is_asked("Note that I will be late.", "r1")
    talk.composes(Say("I will."), LOOK)
    talk.happens(ToolRan(talk.tools_run[0].job_id, "noted"))
    assert talk.composes() == [ReplyEnded("r1+")]
