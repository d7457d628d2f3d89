"""The voice of one model that hears and speaks together with the call that it talks in: plain calls, no clock."""

from collections.abc import Sequence

import pytest

from bot.events import (
    AnnounceReply,
    CancelJob,
    Command,
    Converse,
    Conversed,
    KeepMessage,
    NoteReply,
    PartConversed,
    RunTool,
    SpeechStarted,
    ToolRan,
    Transcribe,
    Transcribed,
    UtteranceEnded,
)
from bot.events import ToVoice as ToVoiceCommand
from bot.policy import CallPolicy
from bot.speech.conversing import Aside, BotTurn, Finished, Part, Sound, Turn, Words
from bot.speech.links import Transcript, UseTool
from bot.turn import Turn as Floor
from bot.voice.answer import Formats
from bot.voice.audio_chat import AudioChatVoice
from bot.voice.base import Effect
from media.frame import PCMU_8K, AudioFormat, Encoding
from tests.support.conversation import Conversation, of_kind

STOP = Finished("stop")


def seconds(count: float) -> Sound:
    return Sound(b"\x10\x10" * round(24000 * count))


class Talk(Conversation):
    """A call whose voice is the real one; its jobs wait for the test to do them."""

    def __init__(self) -> None:
        linear = AudioFormat(Encoding.L16, 24000)
        self.voice = AudioChatVoice(Formats(linear, linear, PCMU_8K), has_transcriber=True, epoch_s=0.0)
        self.jobs: list[Converse | RunTool] = []
        super().__init__(CallPolicy(filler_after_s=1.2))
        self.starts()

    def speaks(self, for_s: float = 1.0) -> int:
        """The caller; returns the job that is to write it down."""
        for event in (SpeechStarted(0), UtteranceEnded(0, 1000, b"pcm")):
            self.happens(event)
            scribe = self.told(self.voice.receive(event, self.now))
            self.passes(for_s if isinstance(event, SpeechStarted) else 0)
        [job_id] = scribe
        return job_id

    def says(self, text: str) -> None:
        self.told(self.voice.receive(Transcribed(self.speaks(), Transcript(text)), self.now))

    def gives(self, *parts: Part, is_over: bool = True) -> None:
        """What the model answers to the last request."""
        asked = self.asked
        results = [PartConversed(asked.job_id, part) for part in parts]
        for result in (*results, *([Conversed(asked.job_id)] if is_over else [])):
            self.told(self.voice.receive(result, self.now))

    def tool_comes_to(self, output: str) -> None:
        run = next(job for job in reversed(self.jobs) if isinstance(job, RunTool))
        self.told(self.voice.receive(ToolRan(run.job_id, output), self.now))

    def told(self, effects: Sequence[Effect]) -> list[int]:
        """Effects of the voice: facts go to the call, jobs are kept."""
        scribe: list[int] = []
        for effect in effects:
            match effect:
                case Converse() | RunTool():
                    self.jobs.append(effect)
                case Transcribe(job_id):
                    scribe.append(job_id)
                case CancelJob(job_id):
                    self.jobs = [job for job in self.jobs if job.job_id != job_id]
                case _:
                    self.happens(effect)
        return scribe

    @property
    def asked(self) -> Converse:
        return next(job for job in reversed(self.jobs) if isinstance(job, Converse))

    @property
    def turns(self) -> Sequence[Turn]:
        return self.asked.turns

    def heard(self) -> list[str]:
        return [note.text for note in of_kind(self.commands, NoteReply)]  # type: ignore[attr-defined]

    def announced(self) -> list[str]:
        return [one.kind for one in of_kind(self.commands, AnnounceReply)]  # type: ignore[attr-defined]

    def _obey(self, commands: Sequence[Command]) -> list[Command]:
        obeyed = super()._obey(commands)
        for command in commands:
            if isinstance(command, ToVoiceCommand):
                self.told(self.voice.receive(command, self.now))
        return obeyed


@pytest.fixture
def talk() -> Talk:
    return Talk()


def test_an_answer_that_came_before_the_words_were_known_plays_as_soon_as_they_are(talk: Talk):
    scribe = talk.speaks()
    talk.gives(Words("At nine."), seconds(1), STOP)
    assert talk.announced() == ["greeting"]
    talk.told(talk.voice.receive(Transcribed(scribe, Transcript("When do you open?")), talk.now))
    assert talk.announced() == ["greeting", "reply"]
    talk.passes(1.5)
    assert talk.heard()[-1] == "At nine."
    assert talk.call.turn is Floor.CALLER


def test_after_a_cough_the_whole_answer_is_heard(talk: Talk):
    talk.says("When do you open?")
    talk.gives(Words("one two three four five six seven eight"), seconds(2), is_over=False)
    talk.passes(1.0)
    talk.says("")
    talk.passes(0.5)
    *_, cut, aside = talk.turns
    assert isinstance(cut, BotTurn)
    assert isinstance(aside, Aside)
    talk.gives(Words("the rest"), seconds(1), STOP)
    talk.passes(3.0)
    *_, resumed, rest = talk.heard()
    assert f"{cut.text} {resumed}".split()[:5] == ["one", "two", "three", "four", "five"]
    assert rest == "the rest"
    assert talk.call.turn is Floor.CALLER


def test_while_a_tool_runs_the_caller_hears_a_filler_and_then_the_answer(talk: Talk):
    talk.says("When do you open?")
    talk.gives(UseTool("lookup_fact", {}, "call_1", "{}"), Finished("tool_calls"))
    talk.passes(3.0)
    assert talk.announced() == ["greeting", "filler"]
    talk.tool_comes_to("nine")
    talk.gives(Words("At nine."), seconds(1), STOP)
    talk.passes(1.5)
    assert talk.heard()[-1] == "At nine."
    assert talk.call.turn is Floor.CALLER


def test_a_model_that_does_not_go_on_after_a_tool_is_not_waited_for_for_ever(talk: Talk):
    talk.says("When do you open?")
    talk.gives(UseTool("lookup_fact", {}, "call_1", "{}"), Finished("tool_calls"))
    talk.tool_comes_to("nine")
    talk.passes(12.0)
    assert talk.announced()[-1] == "pardon"


def test_a_dictated_message_is_kept_acknowledged_and_the_bot_hangs_up(talk: Talk):
    talk.says("Please tell Maria to call me.")
    arguments = {"message": "Call back."}
    talk.gives(UseTool("take_message", arguments, "call_1", '{"message":"Call back."}'), Finished("tool_calls"))
    assert [kept.text for kept in of_kind(talk.commands, KeepMessage)] == ["Call back."]  # type: ignore[attr-defined]
    talk.gives(Words("I will. Goodbye."), seconds(1), UseTool("hang_up", {}, "call_2", "{}"), Finished("tool_calls"))
    assert talk.end_reason is None
    talk.passes(1.5)
    assert talk.heard()[-1] == "I will. Goodbye."
    assert talk.end_reason is not None


def test_who_speaks_over_a_goodbye_keeps_the_line(talk: Talk):
    talk.says("Thank you.")
    talk.gives(Words("Goodbye, then."), seconds(2), UseTool("hang_up", {}, "call_1", "{}"), Finished("tool_calls"))
    talk.passes(1.0)
    talk.says("Wait, one more thing.")
    talk.gives(Words("Yes?"), seconds(1), STOP)
    talk.passes(2.0)
    assert talk.end_reason is None
    assert talk.heard()[-1] == "Yes?"


def test_a_result_that_comes_after_the_caller_has_moved_on_is_told_behind_their_answer(talk: Talk):
    talk.says("When do you open?")
    talk.gives(UseTool("lookup_fact", {}, "call_1", "{}"), Finished("tool_calls"))
    talk.says("And where are you?")
    talk.tool_comes_to("nine")
    talk.gives(Words("In Mill Lane."), seconds(1), STOP)
    talk.gives(Words("And we open at nine."), seconds(1), STOP)
    talk.passes(3.0)
    assert talk.heard()[-2:] == ["In Mill Lane.", "And we open at nine."]
    assert talk.call.turn is Floor.CALLER


def test_after_a_tool_to_which_there_is_nothing_to_add_the_caller_has_the_floor(talk: Talk):
    talk.says("Please note that I will be late.")
    note = UseTool("note", {}, "call_1", "{}")
    talk.gives(Words("I will note it."), seconds(1), note, Finished("tool_calls"))
    talk.passes(1.1)  # no "one moment" yet
    talk.tool_comes_to("noted")
    talk.gives(STOP)
    assert talk.call.turn is Floor.CALLER
    talk.passes(5.0)
    assert talk.announced() == ["greeting", "reply"]
