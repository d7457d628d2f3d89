"""The responses of one session: one at a time in its conversation, others beside it; what each is to say.

Where the caller's last words are still being found out, a response that was created waits for them.
"""

from collections.abc import Sequence

from bot.events import PartComposed
from bot.local.errors import RequestError
from bot.local.realtime.exact import exact_text, given_text
from bot.local.realtime.items import Conversation, Item, history, last_words
from bot.local.realtime.jobs import Converse, Output, Result, Speak, Think
from bot.local.realtime.making import Making
from bot.local.realtime.memory import Memory
from bot.local.realtime.outbox import Outbox
from bot.local.realtime.response import Response, Wanted
from bot.local.realtime.sounds import Sounds
from bot.local.realtime.terms import Terms
from bot.local.realtime.text_model import text_options, turns
from bot.local.realtime.tokens import input_tokens
from bot.local.realtime.tool_arguments import Deferred, as_json, declared, filled
from bot.speech.links import Role, Said, Say, UseTool
from bot.speech.matching import sentences

_ANSWERED_TOOLS = frozenset({"take_message", "transfer"})
"""Tools whose results the responder has words for; of others it says nothing."""


class Responses:
    def __init__(
        self, outbox: Outbox, conversation: Conversation, sounds: Sounds, memory: Memory, terms: Terms
    ) -> None:
        self.has_spoken = False
        """Whether the client has been sent any sound."""
        self._outbox = outbox
        self._conversation = conversation
        self._conversation_id = outbox.new_id("conv")
        self._sounds = sounds
        self._memory = memory
        self._terms = terms
        self._active: Making | None = None
        self._beside: list[Making] = []
        self._owners: dict[int, Making] = {}
        self._deferred: Deferred | None = None
        self._deferred_by: Response | None = None

    def check_room(self) -> None:
        """Raises `RequestError` while a response is being made in the conversation."""
        if self._active is not None:
            raise RequestError(
                "Conversation already has an active response in progress: "
                f"{self._active.response.id}. Wait until the response is finished before creating a new one.",
                code="conversation_already_has_active_response",
            )

    def create(self, wanted: Wanted, context: Sequence[Item] | None, *, is_beside: bool) -> float | None:
        """Begin one; without a `context` of its own it goes on from the conversation. Returns as `receive` does."""
        items = list(self._conversation) if context is None else context
        tokens = input_tokens(wanted.instructions, wanted.tools, items)
        conversation = None if is_beside else self._conversation
        response = Response(self._outbox.new_id, wanted, conversation, self._conversation_id, tokens)
        making = Making(
            response,
            context,
            self._terms.speaker_rate_hz,
            self._outbox.new_job_id,
            lambda tool: self._arguments_of(tool, making),
        )
        if is_beside:
            self._beside.append(making)
        else:
            self._active = making
        self._outbox.put(response.created())
        return self._set_going(making)

    def receive(self, result: Result) -> float | None:
        """Some work was done. Milliseconds of sound of the conversation's response, if that is complete now."""
        making = self._owners.get(result.job_id)
        if making is None:
            return None
        if isinstance(result, PartComposed) and isinstance(result.part, Say):
            self._memory.remember(result.part)
        return self._settle(making, making.receive(result))

    def words_found(self) -> float | None:
        """More of what the caller said is known: whoever waited for it goes on. Returns as `receive` does."""
        ended = [self._set_going(making) for making in self._all() if making.is_waiting]
        return next((ms for ms in ended if ms is not None), None)

    def words_lost(self, item: Item, message: str) -> float | None:
        """What the caller said will not be known: whoever waited for it fails. Returns as `receive` does."""
        ended = [
            self._settle(making, making.fail(message))
            for making in self._all()
            if making.is_waiting and item in self._context(making)
        ]
        return next((ms for ms in ended if ms is not None), None)

    def truncated(self, item: Item) -> None:
        """A caller who never heard that they were asked for something does not give it."""
        is_asking = self._deferred_by is not None and item in self._deferred_by.items
        if is_asking and not item.is_heard_to_last:
            self._deferred = None

    def interrupt(self) -> None:
        """The caller speaks over the conversation's response; those beside it are none of their business."""
        if self._active is not None:
            self._settle(self._active, self._active.cancel("turn_detected"))

    def cancel(self, response_id: str | None) -> float | None:
        """One by its id, or that of the conversation; raises `RequestError` where there is none. Returns as `receive`
        does."""
        for making in self._all():
            if making.response.id == response_id or (response_id is None and making is self._active):
                return self._settle(making, making.cancel("client_cancelled"))
        raise RequestError("Cancellation failed: no active response found", code="response_cancel_not_active")

    # -- what is to be said ----------------------------------------------------------------------------------------

    def _set_going(self, making: Making) -> float | None:
        exact = exact_text(making.response.wanted.instructions)
        if exact is None:
            exact = given_text(making.context)
        if exact is not None:
            said = [Say(one, self._memory.tags.get(one, "")) for one in sentences(exact)]
            return self._settle(making, making.say(said))
        items = self._context(making)
        if any(item.is_unheard for item in items):
            return None
        if self._terms.has_text_model:
            wanted = making.response.wanted
            return self._settle(making, making.converse(turns(items, wanted.instructions), text_options(wanted)))
        return self._settle(making, self._begin(making, items))

    def _begin(self, making: Making, items: Sequence[Item]) -> list[Output]:
        said = history(items, self._memory.tags)
        is_turn = bool(said) and said[-1].role is Role.CALLER
        if self._deferred is not None and is_turn and making is self._active:
            deferred, self._deferred = self._deferred, None
            if words := last_words(items):
                return making.call(deferred.with_words(words))
            said.append(Said(Role.TOOL, "", deferred.tool.name))
        elif said and said[-1].role is Role.TOOL and said[-1].tag not in _ANSWERED_TOOLS:
            return making.say(())
        elif not is_turn and (not said or said[-1].role is Role.BOT):
            # A responder answers; where it is to speak first, it answers a hello, and silence where it has spoken.
            said.append(Said(Role.CALLER, "" if said else "Hello."))
        return making.think(said)

    def _arguments_of(self, tool: UseTool, making: Making) -> str | None:
        declaration = declared(making.response.wanted.tools, tool.name)
        if declaration is None:
            return None
        complete = filled(tool, declaration, last_words(self._heard_before(making)))
        if isinstance(complete, Deferred):
            if making is self._active:
                self._deferred, self._deferred_by = complete, making.response
            return None
        return as_json(complete)

    def _heard_before(self, making: Making) -> Sequence[Item]:
        return [item for item in self._context(making) if item not in making.response.items]

    def _context(self, making: Making) -> Sequence[Item]:
        return list(self._conversation) if making.context is None else making.context

    # -- what came of it -------------------------------------------------------------------------------------------

    def _settle(self, making: Making, outputs: Sequence[Output]) -> float | None:
        """Hand out what a response has come to, and let go of one that is over."""
        for output in outputs:
            if isinstance(output, Think | Converse | Speak):
                self._owners[output.job_id] = making
        self._outbox.put(outputs)
        self.has_spoken = self.has_spoken or making.response.sound_ms > 0
        if not making.is_over:
            return None
        self._owners = {job_id: owner for job_id, owner in self._owners.items() if owner is not making}
        for item_id, sound in making.response.sounds.items():
            if item_id in self._conversation:
                self._sounds.keep(item_id, making.response.wanted.audio, bytes(sound))
        if making is not self._active:
            self._beside.remove(making)
            return None
        self._active = None
        return making.response.sound_ms

    def _all(self) -> list[Making]:
        return [*([] if self._active is None else [self._active]), *self._beside]
