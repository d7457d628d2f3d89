"""The account and its numbers in an emulated Twilio REST API: what the real one tells of them, as far as we read it."""

from collections.abc import Mapping
from typing import Any


def account_path(account_sid: str) -> str:
    return f"/2010-04-01/Accounts/{account_sid}.json"


def numbers_path(account_sid: str) -> str:
    return f"/2010-04-01/Accounts/{account_sid}/IncomingPhoneNumbers.json"


def account_resource(account_sid: str, status: str) -> dict[str, Any]:
    return {
        "sid": account_sid,
        "owner_account_sid": account_sid,
        "friendly_name": "Rehearsal",
        "status": status,
        "type": "Full",
        "uri": account_path(account_sid),
    }


def numbers_resource(account_sid: str, numbers: Mapping[str, str]) -> dict[str, Any]:
    """`numbers`: each with the URL that it asks when a call comes in."""
    listed = [
        {
            "sid": f"PN{number:032x}",
            "account_sid": account_sid,
            "phone_number": phone_number,
            "friendly_name": phone_number,
            "voice_url": voice_url,
            "voice_method": "POST",
            "voice_application_sid": None,
            "trunk_sid": None,
            "capabilities": {"voice": True, "sms": True, "mms": False, "fax": False},
        }
        for number, (phone_number, voice_url) in enumerate(numbers.items(), start=1)
    ]
    return {"incoming_phone_numbers": listed, "page": 0, "page_size": 1000, "next_page_uri": None}
