"""Twilio: how it asks (webhooks), how we answer (TwiML), what we ask of it (REST). No I/O.

Its signature is in twilio_signature.py, its media socket in twilio_media.py.
https://www.twilio.com/docs/voice/twiml/stream
"""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl, quote, urlsplit
from xml.etree import ElementTree

import msgspec

from bot.carrier import twilio_signature
from bot.carrier.base import Answer, CallProgress, IncomingCall, RestRequest, Webhook
from bot.carrier.twilio_media import TwilioMediaStream
from bot.carrier.twilio_signature import Digest, Form
from bot.errors import CarrierError, SignatureError

__all__ = ["TwilioCarrier", "TwilioMediaStream"]

FINAL_STATUSES = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})

_MAX_FIELDS = 500  # Twilio sends about 40
_MAX_PARAMETER_CHARS = 500  # name and value of one <Parameter> together stay below this
# Not found, and "call is not in-progress": https://www.twilio.com/docs/api/errors
_ALREADY_OVER = frozenset({20404, 21220})
_TALKED = frozenset({"completed", "answered"})
_E164 = re.compile(r"\+[1-9][0-9]{1,14}")
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# <Say> wants a locale where a configuration may name only a language.
_LOCALES = {
    "da": "da-DK", "de": "de-DE", "en": "en-US", "es": "es-ES", "fr": "fr-FR", "it": "it-IT", "ja": "ja-JP",
    "ko": "ko-KR", "nb": "nb-NO", "nl": "nl-NL", "pl": "pl-PL", "pt": "pt-BR", "ru": "ru-RU", "sv": "sv-SE",
    "zh": "zh-CN",
}  # fmt: skip


class _RestError(msgspec.Struct):
    code: int = 0


_rest_error_decoder = msgspec.json.Decoder(_RestError)


class TwilioCarrier:
    """One Twilio account.

    `auth_tokens` are all accepted on a webhook, so that a token can be rotated and subaccounts can call; the first one
    signs our REST calls. `shared_keys` (id to secret) are for accounts whose webhooks are signed with SHA-256.
    `stream_status_path` is where Twilio reports on its stream; empty for nowhere. `after_transfer_path` is what asks
    `after_transfer`; without it callers hear the regret after every transfer, even when they have talked to somebody.
    """

    name = "twilio"

    def __init__(
        self,
        account_sid: str,
        auth_tokens: tuple[str, ...],
        public_url: str,
        api_base: str = "https://api.twilio.com",
        *,
        shared_keys: Mapping[str, str] | None = None,
        stream_status_path: str = "",
        after_transfer_path: str = "",
    ) -> None:
        self._account_sid = account_sid
        self._auth_tokens = tuple(token for token in auth_tokens if token)  # an empty key would let anybody sign
        self._public_url = public_url.rstrip("/")
        self._socket_url = "ws" + self._public_url.removeprefix("http")  # http and https become ws and wss
        self._api_base = api_base.rstrip("/")
        self._shared_keys = dict(shared_keys or {})
        self._stream_status_path = stream_status_path
        self._after_transfer_path = after_transfer_path

    def check(self, webhook: Webhook) -> None:
        """Raise `SignatureError` unless the account signed this request."""
        if not webhook.headers.get(twilio_signature.HEADER):
            raise SignatureError(f"the request has no {twilio_signature.HEADER} header")
        url = self._public_url + webhook.raw_path
        has_other_body = webhook.method == "POST" and webhook.body and not _is_form(webhook)
        if has_other_body and not twilio_signature.body_matches(url, webhook.body):
            raise SignatureError("the request's body is not the one that bodySHA256 in its URL states")
        self._check_signature(webhook, url, _posted(webhook))

    def is_handshake_signed(self, handshake: Webhook) -> bool:
        """Whether a media socket's upgrade request carries the account's signature of the URL in our TwiML.

        Additional evidence: proxies may rewrite what was signed, so the token in `start` decides.
        """
        signature = handshake.headers.get(twilio_signature.HEADER, "")
        path, mark, query = handshake.raw_path.partition("?")
        # Twilio has been seen to sign with a slash that the TwiML did not have.
        return any(
            twilio_signature.is_signed(self._auth_tokens, signature, self._socket_url + spelt + mark + query)
            for spelt in (path, path.rstrip("/") + "/")
        )

    def incoming(self, webhook: Webhook) -> IncomingCall:
        fields = _fields(webhook)
        return IncomingCall(_required(fields, "CallSid"), _required(fields, "From"), _required(fields, "To"))

    def answer(self, media_path: str, parameters: Mapping[str, str]) -> Answer:
        """Connect the call to our socket; the `<Hangup>` runs once we close it."""
        response = ElementTree.Element("Response")
        connect = ElementTree.SubElement(response, "Connect")
        stream = ElementTree.SubElement(connect, "Stream", url=_xml_text(self._socket_url + media_path))
        if self._stream_status_path:
            stream.set("statusCallback", self._public_url + self._stream_status_path)
        for name, value in parameters.items():
            if len(name) + len(value) >= _MAX_PARAMETER_CHARS:
                raise CarrierError(f"stream parameter {name!r} is too long for Twilio")
            ElementTree.SubElement(stream, "Parameter", name=_xml_text(name), value=_xml_text(value))
        ElementTree.SubElement(response, "Hangup")
        return _twiml(response)

    def refuse(self, spoken: str, language: str) -> Answer:
        response = ElementTree.Element("Response")
        say = ElementTree.SubElement(response, "Say", language=_xml_text(_LOCALES.get(language, language)))
        say.text = _xml_text(spoken)
        ElementTree.SubElement(response, "Hangup")
        return _twiml(response)

    def progress(self, webhook: Webhook) -> CallProgress:
        """What a call's status callback says; of several, the one with the highest `sequence` is the latest."""
        fields = _fields(webhook)
        status = _required(fields, "CallStatus")
        sequence = fields.get("SequenceNumber", "0")
        if not (sequence.isascii() and sequence.isdigit()):
            raise CarrierError(f"a status callback with SequenceNumber {sequence!r}")
        return CallProgress(_required(fields, "CallSid"), status, status in FINAL_STATUSES, int(sequence))

    def open_stream(self) -> TwilioMediaStream:
        return TwilioMediaStream()

    def hang_up(self, carrier_call_id: str) -> RestRequest | None:
        return self._update(carrier_call_id, ("Status", "completed"))

    def transfer(self, carrier_call_id: str, destination: str, caller_id: str, regret: str) -> RestRequest | None:
        """New instructions for the live call, which end its media stream.

        https://www.twilio.com/docs/voice/api/call-resource#update-a-call-resource
        """
        response = ElementTree.Element("Response")
        dial = ElementTree.SubElement(response, "Dial", answerOnBridge="true")
        if _E164.fullmatch(caller_id):  # else they see the caller's own number
            dial.set("callerId", caller_id)
        is_sip = destination.startswith(("sip:", "sips:"))
        ElementTree.SubElement(dial, "Sip" if is_sip else "Number").text = _xml_text(destination)
        if self._after_transfer_path:
            dial.set("action", self._public_url + self._after_transfer_path)
        else:  # then verbs go on, no matter whether anybody answered
            ElementTree.SubElement(response, "Say").text = _xml_text(regret)
        ElementTree.SubElement(response, "Hangup")
        return self._update(carrier_call_id, ("Twiml", ElementTree.tostring(response, encoding="unicode")))

    def after_transfer(self, webhook: Webhook, regret: str, language: str) -> Answer:
        """The answer to the `action` of a transfer's <Dial>."""
        if _required(_fields(webhook), "DialCallStatus") not in _TALKED:
            return self.refuse(regret, language)
        response = ElementTree.Element("Response")
        ElementTree.SubElement(response, "Hangup")
        return _twiml(response)

    def _update(self, carrier_call_id: str, wish: tuple[str, str]) -> RestRequest | None:
        if not (self._account_sid and self._auth_tokens and self._api_base):
            return None
        account, call = quote(self._account_sid, safe=""), quote(carrier_call_id, safe="")
        return RestRequest(
            method="POST",
            url=f"{self._api_base}/2010-04-01/Accounts/{account}/Calls/{call}.json",
            form=(wish,),
            username=self._account_sid,
            password=self._auth_tokens[0],
        )

    def is_done(self, status: int, body: str) -> bool:
        if 200 <= status < 300:
            return True
        try:
            code = _rest_error_decoder.decode(body).code
        except (msgspec.DecodeError, UnicodeEncodeError):
            return False  # not Twilio's API speaking: a proxy, or a wrong api_base
        return 400 <= status < 500 and code in _ALREADY_OVER

    def _check_signature(self, webhook: Webhook, url: str, form: Form) -> None:
        keys, digest = self._keys_for(webhook.headers.get(twilio_signature.SETTINGS_HEADER, ""))
        if not twilio_signature.is_signed(keys, webhook.headers[twilio_signature.HEADER], url, form, digest):
            raise SignatureError(
                "the request's signature does not fit: check auth_token, and that public_url is what Twilio calls"
            )

    def _keys_for(self, settings: str) -> tuple[Sequence[str], Digest]:
        if not settings:
            return self._auth_tokens, "sha1"
        named = dict(part.strip().split("=", 1) for part in settings.split(",") if "=" in part)
        key = self._shared_keys.get(named.get("key", ""))
        if key is None or named.get("algorithm", "").upper() != "HMAC_SHA256":
            raise SignatureError(f"the request is signed with a shared key that is not configured: {settings!r}")
        return (key,), "sha256"


def _is_form(webhook: Webhook) -> bool:
    return webhook.headers.get("Content-Type", "").lower().startswith("application/x-www-form-urlencoded")


def _posted(webhook: Webhook) -> Form:
    if webhook.method != "POST" or not _is_form(webhook):
        return ()
    return _pairs(webhook.body.decode(errors="replace"))


def _fields(webhook: Webhook) -> dict[str, str]:
    """The request's fields: of a form its body, of a GET its query."""
    query = urlsplit(webhook.raw_path).query
    return dict(_pairs(query) if webhook.method == "GET" else _posted(webhook))


def _pairs(encoded: str) -> Form:
    try:
        return parse_qsl(encoded, keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError as exc:
        raise SignatureError(f"the request has more than {_MAX_FIELDS} fields") from exc


def _required(fields: Mapping[str, str], name: str) -> str:
    if not fields.get(name):
        raise CarrierError(f"Twilio's request has no {name}")
    return fields[name]


def _xml_text(text: str) -> str:
    """Text without the control characters that no XML document may hold, not even escaped."""
    return _NOT_XML.sub("", text)


def _twiml(response: ElementTree.Element) -> Answer:
    body = '<?xml version="1.0" encoding="UTF-8"?>' + ElementTree.tostring(response, encoding="unicode")
    return Answer(body, "text/xml")
