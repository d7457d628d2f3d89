"""The alarm clock of a call, on the loop that the service runs on."""

import asyncio
import math

import uvloop

from bot.alarm import Alarm


def test_never_goes_off_before_its_time() -> None:
    async def early_by_s() -> list[float]:
        loop = asyncio.get_running_loop()
        alarm = Alarm(loop)
        early = []
        for tenths in range(10):  # of a millisecond: none of them is one that uvloop can name, but the first
            at = loop.time() + 0.003 + tenths / 10_000
            alarm.set(at)
            await alarm.wait()
            early.append(at - loop.time())
        return early

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert max(runner.run(early_by_s())) <= 1e-9


async def test_goes_off_at_the_earliest_of_the_times_it_was_set_to() -> None:
    loop = asyncio.get_running_loop()
    alarm = Alarm(loop)
    sooner = loop.time() + 0.005
    for at in (loop.time() + 60, sooner, loop.time() + 30):
        alarm.set(at)
    assert alarm.at == sooner
    await alarm.wait()
    assert alarm.at == math.inf


async def test_set_for_a_moment_that_is_past_goes_off_at_once() -> None:
    loop = asyncio.get_running_loop()
    alarm = Alarm(loop)
    alarm.set(loop.time() - 1)
    await asyncio.wait_for(alarm.wait(), 1)


async def test_stopped_does_not_go_off() -> None:
    loop = asyncio.get_running_loop()
    alarm = Alarm(loop)
    waiting = asyncio.create_task(alarm.wait())
    alarm.set(loop.time() + 0.005)
    alarm.stop()
    done, _ = await asyncio.wait([waiting], timeout=0.05)
    assert not done
    waiting.cancel()
