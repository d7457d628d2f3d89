import asyncio
from contextlib import suppress

from bot.supervisor import OwnLines, Supervisor


class Call:
    """A live call that ends when it is told goodbye."""

    def __init__(self, supervisor: Supervisor, name: str) -> None:
        self.call_id = name
        self.was_told = False
        self._supervisor = supervisor
        supervisor.enter(self)

    async def say_goodbye(self) -> None:
        self.was_told = True
        self.ends()

    def ends(self) -> None:
        self._supervisor.leave(self)


async def test_no_more_calls_come_in_than_there_are_lines():
    supervisor = Supervisor(OwnLines(2))
    call = Call(supervisor, "a")
    assert supervisor.has_room()
    assert not supervisor.has_room(expected=1)
    Call(supervisor, "b")
    assert not supervisor.has_room()
    call.ends()
    assert supervisor.has_room()


async def test_draining_takes_no_new_call_and_lets_live_ones_finish():
    supervisor = Supervisor(OwnLines(10))
    call = Call(supervisor, "a")
    draining = asyncio.create_task(supervisor.drain(patience_s=30.0, goodbye_s=1.0))
    await asyncio.sleep(0)
    assert not supervisor.has_room()
    call.ends()
    assert await draining == 0
    assert not call.was_told


async def test_who_is_left_when_patience_ends_is_told_goodbye():
    supervisor = Supervisor(OwnLines(10))
    calls = [Call(supervisor, name) for name in "ab"]
    assert await supervisor.drain(patience_s=0.0, goodbye_s=1.0) == 2
    assert all(call.was_told for call in calls)
    assert len(supervisor) == 0


async def test_an_empty_service_drains_at_once():
    assert await Supervisor(OwnLines(1)).drain(patience_s=30.0, goodbye_s=30.0) == 0


async def test_a_call_that_does_not_end_is_not_waited_for_longer_than_its_goodbye():
    class Deaf(Call):
        def ends(self) -> None: ...

    supervisor = Supervisor(OwnLines(10))
    deaf = Deaf(supervisor, "a")
    assert await supervisor.drain(patience_s=0.0, goodbye_s=0.0) == 1
    assert deaf.was_told
    assert list(supervisor) == [deaf]


async def test_who_ends_while_others_are_told_is_told_too_and_does_no_harm():
    supervisor = Supervisor(OwnLines(10))

    class First(Call):
        async def say_goodbye(self) -> None:
            await super().say_goodbye()
            last.ends()

    First(supervisor, "a")
    last = Call(supervisor, "b")
    assert await supervisor.drain(patience_s=0.0, goodbye_s=1.0) == 2
    assert len(supervisor) == 0


async def test_the_end_of_the_last_call_is_what_is_waited_for():
    supervisor = Supervisor(OwnLines(10))
    calls = [Call(supervisor, name) for name in "ab"]
    waiting = asyncio.create_task(supervisor.empty())
    calls[0].ends()
    await asyncio.sleep(0)
    assert not waiting.done()
    calls[0].ends()  # said twice, it is still one call
    calls[1].ends()
    await waiting
    assert supervisor.has_room()


async def test_a_call_keeps_its_line_while_its_socket_is_being_opened():
    supervisor = Supervisor(OwnLines(1))
    with supervisor.arriving("a"):
        assert not supervisor.has_room()
        call = Call(supervisor, "a")
        assert supervisor.lines(0) == 1
    assert not supervisor.has_room()
    call.ends()
    assert supervisor.has_room()


async def test_a_call_whose_socket_came_to_nothing_gives_its_line_back():
    supervisor = Supervisor(OwnLines(1))
    with suppress(ConnectionError), supervisor.arriving("a"):
        raise ConnectionError
    assert supervisor.has_room()
