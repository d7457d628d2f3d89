"""A live emulated call gets new instructions from the REST API: it leaves its stream, and is put through or not."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest

from bot.carrier.twilio import TwilioCarrier
from bot.carrier_rest import CallControl
from bot.config import TransferConfig
from bot.rehearsal.api import TwilioApi
from bot.rehearsal.callee import Callee, Dialled
from bot.rehearsal.caller import HangUp, Wait
from bot.rehearsal.report import CallReport
from tests.bot.rehearsal.test_api import sdk
from tests.bot.rehearsal.test_place_call import TOKEN, Bot, Socket, call, serving

SID = "AC" + "1" * 32
SALES, HERE, CALLER = "+15550003333", "+15550002222", "+15550001111"
REGRET = "Nobody is there, sorry."


@dataclass
class Desk:
    """A service whose voice asks the carrier for something, and what it asks with."""

    bot: Bot
    api: TwilioApi
    carrier: TwilioCarrier
    http: aiohttp.ClientSession

    def control(self, call_sid: str) -> CallControl:
        return CallControl(self.http, self.carrier, call_sid, HERE, {"sales": TransferConfig(number=SALES)}, REGRET)

    async def call(self, **options) -> CallReport:
        numbers = {"to_number": HERE, "from_number": CALLER}
        return await call(self.bot, Wait(5000), HangUp(), api=self.api, account_sid=SID, **numbers, **options)

    def asked_after(self) -> list[dict[str, str]]:
        """What the service was told of ended transfers."""
        return [fields for path, fields, _ in self.bot.webhooks if path == "/transferred"]


@asynccontextmanager
async def desk(ask: Callable[[Desk, str], Awaitable[None]], after_transfer_path: str = "/transferred"):
    """`ask(desk, call_sid)` runs as soon as the stream has started."""
    asking = []

    async def behave(bot: Bot, socket: Socket) -> None:
        await bot.listen(socket, until="start")
        asking.append(asyncio.create_task(ask(here, bot.messages[-1]["start"]["callSid"])))
        await bot.listen(socket, until="the carrier closes")

    async with TwilioApi(SID, TOKEN) as api, serving(behave) as bot, aiohttp.ClientSession() as http:
        carrier = TwilioCarrier(SID, (TOKEN,), bot.url, api.url, after_transfer_path=after_transfer_path)
        here = Desk(bot, api, carrier, http)
        bot.pages["/transferred"] = after_transfer
        yield here
        await asyncio.gather(*asking)


def after_transfer(fields: dict[str, str]) -> str:
    regret = "" if fields["DialCallStatus"] == "completed" else f"<Say>{REGRET}</Say>"
    return f"<Response>{regret}<Hangup/></Response>"


async def transfer(here: Desk, call_sid: str) -> None:
    await here.control(call_sid).transfer("sales")


async def test_a_transfer_takes_the_caller_out_of_the_stream_and_puts_them_through():
    async with desk(transfer) as here:
        report = await here.call(callee=Callee(talks_s=0.1))
    assert here.bot.messages[-1]["event"] == "stop"
    assert here.bot.close_code == 1000
    assert report.dialled == (Dialled(SALES, HERE, "completed"),)
    assert (report.outcome, report.ended_by, report.errors) == ("answered", "bot", ())
    assert report.duration_ms < 2000
    assert report.spoken_by_carrier == ()
    [told] = here.asked_after()
    assert (told["DialCallStatus"], told["CallStatus"], told["To"]) == ("completed", "in-progress", HERE)
    assert report.as_dict()["dialled"] == ({"number": SALES, "caller_id": HERE, "status": "completed"},)


@pytest.mark.parametrize("status", ["no-answer", "busy", "failed"])
async def test_a_caller_who_reaches_nobody_hears_so(status):
    async with desk(transfer) as here:
        report = await here.call(callee=Callee(status))
    assert report.dialled == (Dialled(SALES, HERE, status),)
    assert report.spoken_by_carrier == (REGRET,)
    assert [told["DialCallStatus"] for told in here.asked_after()] == [status]


async def test_it_rings_no_longer_than_the_dial_allows():
    async def ask(here: Desk, call_sid: str) -> None:
        document = f'<Response><Dial timeout="0"><Number>{SALES}</Number></Dial><Say>{REGRET}</Say></Response>'
        await asyncio.to_thread(sdk(here.api, TOKEN).calls(call_sid).update, twiml=document)

    async with desk(ask) as here:
        report = await here.call(callee=Callee(rings_s=60))
    assert report.dialled == (Dialled(SALES, CALLER, "no-answer"),)
    assert report.spoken_by_carrier == (REGRET,)


async def test_without_an_action_the_next_verb_comes_even_after_a_talk():
    async with desk(transfer, after_transfer_path="") as here:
        report = await here.call()
    assert report.spoken_by_carrier == (REGRET,)
    assert here.asked_after() == []


async def test_a_transfer_that_rings_can_be_ended():
    async def ask(here: Desk, call_sid: str) -> None:
        await transfer(here, call_sid)
        await here.bot.parted.wait()
        await here.control(call_sid).hang_up()

    async with desk(ask) as here:
        report = await here.call(callee=Callee(rings_s=20))
        assert here.api.calls[report.call_sid].is_over
    assert [status for _, _, status in here.api.requests] == [200, 200]
    assert (here.asked_after(), report.spoken_by_carrier, report.errors) == ([], (), ())


async def test_a_call_can_be_led_to_another_document():
    async def ask(here: Desk, call_sid: str) -> None:
        await asyncio.to_thread(sdk(here.api, TOKEN).calls(call_sid).update, url=f"{here.bot.url}/next")

    async with desk(ask) as here:
        here.bot.pages["/next"] = lambda fields: f"<Response><Say>Hello, {fields['From']}.</Say></Response>"
        report = await here.call()
    assert report.spoken_by_carrier == (f"Hello, {CALLER}.",)
    assert report.ended_by == "bot"


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ("<Response><Dial>", "12100"),
        (f'<Response><Dial callerId="+4930123456">{SALES}</Dial></Response>', "13214"),
        ("<Response><Dial><Conference>x</Conference></Dial></Response>", "one number"),
    ],
)
async def test_instructions_that_cannot_be_followed_end_the_call_with_an_error(document, error):
    async def ask(here: Desk, call_sid: str) -> None:
        await asyncio.to_thread(sdk(here.api, TOKEN).calls(call_sid).update, twiml=document)

    async with desk(ask) as here:
        report = await here.call()
    assert report.outcome == "answered"
    assert len(report.errors) == 1
    assert error in report.errors[0]
    assert report.dialled == ()
