"""What Twilio tells of an account and its numbers, against how we are configured. No I/O.

https://www.twilio.com/docs/iam/api/account, https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource
"""

import re
from collections.abc import Iterator, Sequence

import msgspec

from bot.config import Config, TwilioConfig
from bot.doctor.asking import Answered
from bot.doctor.findings import Finding, Level
from bot.privacy import mask_number

VOICE_PATH, STATUS_PATH = "/twilio/voice", "/twilio/status"
_ACCOUNT = re.compile(r"AC[0-9a-f]{32}")
_MOST_NUMBERS = 1000
ANY = "*"


class _Account(msgspec.Struct):
    status: str
    type: str = ""
    friendly_name: str = ""


class _Number(msgspec.Struct):
    phone_number: str
    voice_url: str | None = None
    voice_application_sid: str | None = None
    trunk_sid: str | None = None


class _Numbers(msgspec.Struct):
    incoming_phone_numbers: list[_Number]


def account_url(twilio: TwilioConfig) -> str:
    return f"{twilio.api_base.rstrip('/')}/2010-04-01/Accounts/{twilio.account_sid}.json"


def numbers_url(twilio: TwilioConfig) -> str:
    return f"{account_url(twilio).removesuffix('.json')}/IncomingPhoneNumbers.json?PageSize={_MOST_NUMBERS}"


def webhook_url(public_url: str, path: str = VOICE_PATH) -> str:
    """What has to stand at a number in Twilio's console."""
    return public_url.rstrip("/") + path


def credential_findings(twilio: TwilioConfig | None) -> list[Finding]:
    if twilio is None or not twilio.api_base:
        says = "no carrier is configured: rehearsals on this machine and the browser can call"
        return [Finding("carrier", "carriers", "warning", says, "give carriers.twilio an account_sid and auth_token")]
    if not _ACCOUNT.fullmatch(twilio.account_sid) or not twilio.auth_token:
        says = "carriers.twilio has no account_sid of AC and 32 hexadecimal digits with an auth_token"
        return [Finding("carrier", "Twilio", "problem", says, "copy both from the front page of Twilio's console")]
    return []


def account_findings(twilio: TwilioConfig, answered: Answered) -> list[Finding]:
    return [Finding("carrier", "Twilio account", *_of_account(twilio, answered))]


def _of_account(twilio: TwilioConfig, answered: Answered) -> tuple[Level, str, str]:
    if answered.fault:
        return "problem", f"{twilio.api_base} cannot be reached: {answered.fault}", "check the network and api_base"
    if answered.status == 401:
        remedy = "copy both from Twilio's console; a token that was rotated is no longer valid"
        return "problem", "Twilio refuses carriers.twilio.account_sid and auth_token", remedy
    account = answered.json(_Account)
    if answered.status != 200 or account is None:
        return "warning", f"Twilio answered {answered.status} to a look at the account", "try again in a minute"
    if account.status != "active":
        return "problem", f"the account is {account.status}: no call comes in", "ask Twilio, or use another account"
    if account.type == "Trial":
        says = "Twilio accepts the token; the account is a trial, whose callers hear a notice first"
        return "warning", says, "upgrade the account before customers call"
    return "ok", "Twilio accepts the token, and the account is active", ""


def number_findings(config: Config, public_url: str, answered: Answered) -> list[Finding]:
    """Whether each number that a bot answers is there, and leads to us."""
    numbers = answered.json(_Numbers) if answered.status == 200 else None
    if numbers is None:
        got = answered.fault or f"HTTP {answered.status}"
        return [Finding("carrier", "Twilio numbers", "warning", f"they could not be listed: {got}", "try again")]
    return list(_of_numbers(config, webhook_url(public_url), numbers.incoming_phone_numbers))


def _of_numbers(config: Config, wanted: str, there: Sequence[_Number]) -> Iterator[Finding]:
    by_number = {number.phone_number: number for number in there}
    named = [number for bot in config.bots for number in bot.numbers if number != ANY]
    for number in named:
        yield _of_number(mask_number(number), by_number.get(number), wanted)
    others = [number for number in there if number.phone_number not in named and number.voice_url == wanted]
    for one in others:
        bot = config.bot_for(one.phone_number)
        shown = mask_number(one.phone_number)
        if bot is None:
            says = f"{shown} leads here, but no bot answers it"
            yield Finding("carrier", shown, "problem", says, "add the number to a bot's numbers")
        else:
            yield Finding("carrier", shown, "ok", f"{shown} leads to the bot {bot.name!r}")
    if not named and not others:
        says = f"none of the account's {len(there)} numbers leads to this service"
        yield Finding("carrier", "Twilio numbers", "problem", says, _how(wanted))


def _of_number(shown: str, number: _Number | None, wanted: str) -> Finding:
    if number is None:
        remedy = "buy it there, or correct the bot's numbers (+, country code, digits only)"
        return Finding("carrier", shown, "problem", f"the account has no number {shown}", remedy)
    if number.trunk_sid or number.voice_application_sid:
        what = "a SIP trunk" if number.trunk_sid else "a TwiML App"
        says = f"{shown} is handed to {what}, so its own webhook does not count"
        return Finding("carrier", shown, "warning", says, f"take it away, or let {what} lead to {wanted}")
    if number.voice_url == wanted:
        return Finding("carrier", shown, "ok", f"{shown} leads to {wanted}")
    says = f"{shown} leads to {number.voice_url or 'nowhere'}, not to this service"
    return Finding("carrier", shown, "problem", says, _how(wanted))


def _how(wanted: str) -> str:
    return f"in Twilio's console, at the number, set “A call comes in” to Webhook, {wanted}, HTTP POST"
