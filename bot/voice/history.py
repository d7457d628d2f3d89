"""What was said so far, as the next answer must know it: of the bot's words only what the caller heard. No I/O.

A reply is answered on before it was heard, for instance to a tool that it asked for. So its sentences are *planned* as
they are composed and count as said, each in its place before the tools that follow it, until it is known how much of
them was heard.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.speech.links import Role, Said, UseTool


@dataclass(slots=True)
class _Line:
    said: Said
    name: str = ""  # of the bot's words the reply's, of a tool the use's
    planned: tuple[str, ...] = ()  # its words if all of them are heard; none where it was only heard


class History:
    def __init__(self) -> None:
        self._lines: list[_Line] = []

    def told(self) -> Sequence[Said]:
        """What a responder gets to read, oldest first; a reply's sentences together, with the tag of the last."""
        told: list[Said] = []
        before = None
        for line in self._lines:
            said = line.said
            if said.role is Role.BOT and not said.text:
                continue
            if said.role is Role.BOT and before is not None and _is_same_reply(before, line):
                said = replace(said, text=f"{told.pop().text} {said.text}")
            told.append(said)
            before = line
        return tuple(told)

    # -- the caller --------------------------------------------------------------------------------------------------

    def caller_said(self, text: str) -> None:
        """They wait for an answer to this; where it is no words, to the result of a tool perhaps."""
        is_answered_tool = bool(self._lines) and self._lines[-1].said.role is Role.TOOL
        if text or not is_answered_tool:
            self._lines.append(_Line(Said(Role.CALLER, text)))

    def take_back(self) -> bool:
        """The caller's last words are not answered after all; False if something was done because of them."""
        told = [line for line in self._lines if line.said.role is not Role.BOT or line.said.text]
        if not told or told[-1].said.role is not Role.CALLER:
            return False
        self._lines.remove(told[-1])
        return True

    # -- the bot -----------------------------------------------------------------------------------------------------

    def plan(self, reply_id: str, text: str, tag: str = "") -> None:
        """More words of a reply that is being made: for all anybody knows they will be heard."""
        words = tuple(text.split())
        self._lines.append(_Line(Said(Role.BOT, " ".join(words), tag), reply_id, words))

    def heard(self, reply_id: str, text: str, tag: str = "") -> None:
        """So much of a reply was heard, from its beginning."""
        if rest := self._share_out(reply_id, text):
            self._lines.append(_Line(Said(Role.BOT, rest, tag), reply_id))

    def correct(self, reply_id: str, text: str) -> None:
        """How much it was exactly; of a reply that is not known nothing was heard."""
        rest = self._share_out(reply_id, text)
        for line in self._of(reply_id):
            if not line.planned:
                line.said = replace(line.said, text=rest)

    def resume(self, cut_id: str, reply_id: str) -> None:
        """The words of a reply that were not heard will be after all, as another reply."""
        for line in self._of(cut_id):
            heard = tuple(line.said.text.split())
            if rest := line.planned[len(heard) :]:
                line.planned = heard
                following = _Line(replace(line.said, text=" ".join(rest)), reply_id, rest)
                self._lines.insert(self._lines.index(line) + 1, following)

    def _share_out(self, reply_id: str, text: str) -> str:
        """Each planned sentence keeps what was heard of it; returns what is left over."""
        words = text.split()
        for line in self._of(reply_id):
            line.said = replace(line.said, text=" ".join(words[: len(line.planned)])) if line.planned else line.said
            words = words[len(line.planned) :]
        return " ".join(words)

    def _of(self, reply_id: str) -> list[_Line]:
        return [line for line in self._lines if line.said.role is Role.BOT and line.name == reply_id]

    # -- tools -------------------------------------------------------------------------------------------------------

    def used(self, use: str, tool: UseTool, result: str) -> None:
        """What came of a tool, as far as it is known; what is told later of the same use replaces it in its place."""
        said = Said(Role.TOOL, result, tool.name, tool.call_id, tool.json)
        for line in self._lines:
            if line.said.role is Role.TOOL and use and line.name == use:
                line.said = said
                return
        self._lines.append(_Line(said, use))


def _is_same_reply(one: _Line, other: _Line) -> bool:
    return one.said.role is Role.BOT and one.name == other.name
