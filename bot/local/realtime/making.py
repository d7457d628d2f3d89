"""One response coming into being: words are thought up, spoken sentence by sentence, and functions called at the end.

No I/O: results of slow work in, messages and further work out. While one sentence is being spoken the next ones may
already stand there as text, as with OpenAI's models, whose words run ahead of their sound.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.events import CancelJob, Composed, JobFailed, PartComposed, SoundMade, Synthesized
from bot.local.chat_answers import Turn
from bot.local.realtime.items import Item
from bot.local.realtime.jobs import Converse, FunctionWanted, Output, Result, Speak, Think
from bot.local.realtime.response import Response
from bot.speech.links import Said, Say, UseTool
from media.frame import AudioFormat, Encoding
from media.transcode import Transcoder


class Making:
    def __init__(
        self,
        response: Response,
        context: Sequence[Item] | None,
        speaker_rate_hz: int,
        new_job_id: Callable[[], int],
        arguments_of: Callable[[UseTool], str | None],
    ) -> None:
        """`context` is what it answers to; None: the conversation. `arguments_of` gives a function call's JSON, or
        None where nothing is to be called."""
        self.response = response
        self.context = context
        self.is_waiting = True
        """Until `think`, `say` or `call` tells what to do."""
        self.is_over = False
        self._new_job_id = new_job_id
        self._arguments_of = arguments_of
        self._transcoder = Transcoder(AudioFormat(Encoding.L16, speaker_rate_hz), response.wanted.audio)
        self._sentences: deque[Say] = deque()
        self._tools: list[UseTool | FunctionWanted] = []
        self._think_job: int | None = None
        self._speak_job: int | None = None

    # -- what it is to be ------------------------------------------------------------------------------------------

    def think(self, history: Sequence[Said]) -> list[Output]:
        """Have the responder say what comes next."""
        self.is_waiting = False
        self._think_job = self._new_job_id()
        return [Think(self._think_job, tuple(history))]

    def converse(self, turns: Sequence[Turn], options: Mapping[str, Any]) -> list[Output]:
        """Have the text model say it."""
        self.is_waiting = False
        self._think_job = self._new_job_id()
        return [Converse(self._think_job, tuple(turns), options)]

    def say(self, sentences: Sequence[Say]) -> list[Output]:
        """Exactly this."""
        self.is_waiting = False
        said: list[Output] = []
        for one in sentences:
            said += self._take_sentence(one)
        return [*said, *self._end_if_done()]

    def call(self, tool: UseTool) -> list[Output]:
        self.is_waiting = False
        self._tools.append(tool)
        return self._end_if_done()

    # -- what came of it -------------------------------------------------------------------------------------------

    def receive(self, result: Result) -> list[Output]:
        match result:
            case PartComposed(job_id, part) if job_id == self._think_job:
                if isinstance(part, Say):
                    return self._take_sentence(part)
                self._tools.append(part)
                return []
            case FunctionWanted(job_id) if job_id == self._think_job:
                self._tools.append(result)
                return []
            case Composed(job_id) if job_id == self._think_job:
                self._think_job = None
                return self._end_if_done()
            case SoundMade(job_id, pcm) if job_id == self._speak_job:
                return self._sound(self._transcoder.push(pcm))
            case Synthesized(job_id) if job_id == self._speak_job:
                self._speak_job = None
                return [*self._speak_next(), *self._end_if_done()]
            case JobFailed(job_id, message) if job_id in (self._think_job, self._speak_job):
                return self.fail(message)
            case _:
                return []

    def cancel(self, reason: str) -> list[Output]:
        """`reason` is turn_detected or client_cancelled."""
        return self._end("cancelled", {"type": "cancelled", "reason": reason})

    def fail(self, message: str) -> list[Output]:
        error = {"type": "server_error", "code": "server_error", "message": message}
        return self._end("failed", {"type": "failed", "error": error})

    # -- speaking --------------------------------------------------------------------------------------------------

    def _take_sentence(self, say: Say) -> list[Output]:
        if self.is_over:
            return []
        messages: list[Output] = [*self.response.write(say.text)]
        if self.response.wanted.is_spoken:
            self._sentences.append(say)
            return [*messages, *self._speak_next()]
        self.response.begin_sentence(say)
        return [*messages, *self._end_if_spent()]

    def _speak_next(self) -> list[Output]:
        if self._speak_job is not None or not self._sentences or self.is_over:
            return []
        say = self._sentences.popleft()
        self.response.begin_sentence(say)
        self._speak_job = self._new_job_id()
        return [Speak(self._speak_job, say.text, self.response.wanted.speed)]

    def _sound(self, payload: bytes) -> list[Output]:
        return [*self.response.sound(payload), *self._end_if_spent()]

    # -- the end ---------------------------------------------------------------------------------------------------

    def _end_if_done(self) -> list[Output]:
        busy = self._think_job is not None or self._speak_job is not None or bool(self._sentences)
        if busy or self.is_over:
            return []
        messages: list[Output] = []
        if self.response.is_speaking:
            messages += self._sound(self._transcoder.flush())
        if self.is_over:
            return messages
        messages += self.response.end_message()
        for tool in self._tools:
            arguments = tool.arguments if isinstance(tool, FunctionWanted) else self._arguments_of(tool)
            if arguments is not None:
                messages += self.response.call(tool.name, arguments)
        return [*messages, *self._end("completed", None)]

    def _end_if_spent(self) -> list[Output]:
        if self.is_over or not self.response.is_spent():
            return []
        return self._end("incomplete", {"type": "incomplete", "reason": "max_output_tokens"})

    def _end(self, status: str, details: dict[str, object] | None) -> list[Output]:
        if self.is_over:
            return []
        self.is_over, self.is_waiting = True, False
        jobs = [job_id for job_id in (self._think_job, self._speak_job) if job_id is not None]
        self._think_job = self._speak_job = None
        return [*(CancelJob(job_id) for job_id in jobs), *self.response.end(status, details)]
