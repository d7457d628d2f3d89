"""Vectors are those of twilio-python's and twilio-node's own tests; the official validator is the judge of the rest."""

from urllib.parse import urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, MultiDict
from twilio.request_validator import RequestValidator

from bot.carrier.base import Webhook
from bot.carrier.twilio import TwilioCarrier
from bot.carrier.twilio_signature import is_signed, sign
from bot.errors import SignatureError

KEY = "12345"
ORIGIN = "https://mycompany.com"
PATH = "/myapp.php?foo=1&bar=2"
URL = ORIGIN + PATH
FORM = (
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+14158675309"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
)
JSON_BODY = b'{"property": "value", "boolean": true}'
JSON_HASH = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
EMPTY_HASH = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
SIGNATURE = "RSOYDt4T1cUTdK1PDd93/VVr8B8="

VECTORS = [
    (URL, FORM, SIGNATURE),
    (URL.replace(".com", ".com:443"), FORM, "kvajT1Ptam85bY51eRf/AJRuM3w="),
    ("http://mycompany.com:80" + PATH, FORM, "0ZXoZLH/DfblKGATFgpif+LLRf4="),
    ("http://mycompany.com:1234" + PATH, FORM, "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
    ("https://user:pass@mycompany.com" + PATH, FORM, "CukzLTc1tT5dXEDIHm/tKBanW10="),
    ("https://user@mycompany.com" + PATH, FORM, "2YRLlVAflCqxaNicjMpJcSTgzSs="),
    ("https://user:pass@mycompany.com:443" + PATH, FORM, "ZQFR1PTIZXF2MXB8ZnKCvnnA+rI="),
    (URL + "&Body=It's+amazing", FORM, "dsq4Ehbj6cs+KdTkpF5sSSplOWw="),
    (URL + "&Body=It%27s+amazing", FORM, "TfZzewPq8wqrGlMfyAud8+/IvJ0="),
    (
        URL,
        (("Sid", "CA123"), ("SidAccount", "AC123"), ("Digits", "5678"), ("Digits", "1234"), ("Digits", "1234")),
        "IK+Dwps556ElfBT0I3Rgjkr1wJU=",
    ),
    (
        URL,
        (("MessagingBinding.Address", "+1415xxxxxxx"), ("MessagingBinding.Address", "+1325xxxxxxx")),
        "83O6e2vORAoJHUNzJjDWN1jz+BA=",
    ),
    (f"{URL}&bodySHA256={JSON_HASH}", (), "a9nBmqA0ju/hNViExpshrM61xv4="),
    (f"{ORIGIN}/myapp.php?bodySHA256={JSON_HASH}", (), "y77kIzt2vzLz71DgmJGsen2scGs="),
    (f"{ORIGIN}:443{PATH}&bodySHA256={EMPTY_HASH}", (), "Ldidvp12m26NI7eqEvxnEpkd9Hc="),
    (URL, (), "zYQTYrRWXE7LtzbG4PfP7/bkkGo="),
    ("wss://bot.example.com/media", (), "/wAl+WqMkvPvBcVutOs5CBheh4o="),
    ("wss://bot.example.com/media/", (), "f0GK/9EAuNavCJjNxnbDtImedyg="),
]


@pytest.mark.parametrize(("url", "form", "signature"), VECTORS)
def test_the_published_vectors_come_out(url, form, signature):
    assert sign(KEY, url, form) == signature


def test_a_shared_key_signs_with_sha256():
    assert sign(KEY, URL, FORM, "sha256") == "033hgUJA9M/hXIZsYjwkerEP/DBm35nEri5FhCYjA5s="


@pytest.mark.parametrize(
    ("seen", "signature"),
    [
        (URL, "kvajT1Ptam85bY51eRf/AJRuM3w="),  # signed with :443
        (URL.replace(".com", ".com:443"), SIGNATURE),  # signed without
        (URL.replace(".com", ".com:1234"), SIGNATURE),
        ("http://mycompany.com" + PATH, "0ZXoZLH/DfblKGATFgpif+LLRf4="),
        (URL + "&Body=It's+amazing", "TfZzewPq8wqrGlMfyAud8+/IvJ0="),
        (URL + "&Body=It's+amazing", sign(KEY, URL + "&Body=It's%20amazing", FORM)),  # Node's old querystring
    ],
)
def test_what_twilio_spells_in_another_way_is_still_its_signature(seen, signature):
    assert is_signed([KEY], signature, seen, FORM)


def test_the_port_of_an_ipv6_host_is_found_behind_its_brackets():
    assert is_signed([KEY], sign(KEY, "https://[2001:db8::1]:443/x"), "https://[2001:db8::1]/x")
    assert is_signed([KEY], sign(KEY, "https://[2001:db8::1]/x"), "https://[2001:db8::1]:8443/x")


@pytest.mark.parametrize(
    ("url", "form", "signature"),
    [
        (URL + "&more=1", FORM, SIGNATURE),
        (URL, FORM[:-1], SIGNATURE),
        (URL, (*FORM, ("Blank", "")), SIGNATURE),
        (URL.replace("mycompany", "yourcompany"), FORM, SIGNATURE),
        (URL, FORM, SIGNATURE[:-1]),
        (URL, FORM, ""),
        (URL, FORM, "n\u00e4y"),
        (URL, FORM, "\udcff"),  # what a header of raw bytes decodes to
    ],
)
def test_another_request_or_signature_is_refused(url, form, signature):
    assert not is_signed([KEY], signature, url, form)


text = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
forms = st.lists(st.tuples(text.filter(bool), text), max_size=8)
hosts = st.sampled_from(["bot.example.com", "bot.example.com:443", "bot.example.com:8443", "user:pass@bot.example.com"])
queries = st.lists(st.tuples(text.filter(bool), text), min_size=1, max_size=4).map(lambda pairs: "?" + urlencode(pairs))
urls = st.builds(
    lambda scheme, host, path, query: f"{scheme}://{host}/{path}{query}",
    st.sampled_from(["http", "https"]),
    hosts,
    st.sampled_from(["", "twilio/voice", "a/b/"]),
    st.just("") | queries,
)


def webhook(url: str, form, signature: str, **headers: str) -> Webhook:
    parts = urlsplit(url)
    path = url.removeprefix(f"{parts.scheme}://{parts.netloc}")
    content = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
    return Webhook(
        "POST",
        path,
        CIMultiDict({"X-Twilio-Signature": signature} | content | {k.replace("_", "-"): v for k, v in headers.items()}),
        urlencode(form).encode(),
    )


def carrier(url: str = URL, *tokens: str, **options) -> TwilioCarrier:
    parts = urlsplit(url)
    return TwilioCarrier("AC1", tokens or (KEY,), f"{parts.scheme}://{parts.netloc}", **options)


@given(urls, forms)
def test_what_the_official_sdk_signs_we_accept(url, form):
    signature = RequestValidator(KEY).compute_signature(url, MultiDict(form))
    carrier(url).check(webhook(url, form, signature))


@given(urls, forms)
def test_what_we_sign_the_official_sdk_accepts(url, form):
    assert RequestValidator(KEY).validate(url, MultiDict(form), sign(KEY, url, form))


@given(urls, forms, st.tuples(text.filter(bool), text))
def test_a_field_that_was_put_in_on_the_way_is_noticed(url, form, field):
    signature = sign(KEY, url, form)
    expected = RequestValidator(KEY).validate(url, MultiDict([*form, field]), signature)
    assert is_signed([KEY], signature, url, [*form, field]) == expected


def test_during_a_rotation_the_old_and_the_new_token_are_accepted():
    for token in ("old", "new"):
        carrier(URL, "new", "old").check(webhook(URL, FORM, sign(token, URL, FORM)))
    with pytest.raises(SignatureError):
        carrier(URL, "new", "old").check(webhook(URL, FORM, sign("older", URL, FORM)))


def test_a_token_that_is_empty_is_no_token():
    with pytest.raises(SignatureError):
        TwilioCarrier("AC1", ("",), ORIGIN).check(webhook(URL, FORM, sign("", URL, FORM)))


def test_a_request_without_a_signature_is_refused():
    with pytest.raises(SignatureError, match="X-Twilio-Signature"):
        carrier().check(Webhook("POST", PATH, CIMultiDict(), b""))


def test_a_get_request_is_signed_by_its_url_alone():
    headers = CIMultiDict({"X-Twilio-Signature": "zYQTYrRWXE7LtzbG4PfP7/bkkGo="})
    carrier().check(Webhook("GET", PATH, headers, b""))


def test_a_bare_question_mark_counts():
    headers = CIMultiDict({"X-Twilio-Signature": sign(KEY, f"{ORIGIN}/voice?")})
    carrier().check(Webhook("GET", "/voice?", headers, b""))
    with pytest.raises(SignatureError):
        carrier().check(Webhook("GET", "/voice", headers, b""))


def json_webhook(body: bytes) -> Webhook:
    path = f"{PATH}&bodySHA256={JSON_HASH}"
    headers = {"X-Twilio-Signature": sign(KEY, ORIGIN + path), "Content-Type": "application/json"}
    return Webhook("POST", path, CIMultiDict(headers), body)


def test_a_json_body_is_held_against_the_hash_in_the_signed_url():
    carrier().check(json_webhook(JSON_BODY))
    with pytest.raises(SignatureError, match="bodySHA256"):
        carrier().check(json_webhook(JSON_BODY.replace(b"true", b"false")))


def test_a_body_that_no_hash_vouches_for_is_refused():
    headers = {"X-Twilio-Signature": sign(KEY, URL), "Content-Type": "application/json"}
    with pytest.raises(SignatureError, match="bodySHA256"):
        carrier().check(Webhook("POST", PATH, CIMultiDict(headers), b'{"CallSid": "CA1"}'))


def test_a_flood_of_fields_is_refused():
    with pytest.raises(SignatureError, match="fields"):
        carrier().check(webhook(URL, [(f"f{n}", "") for n in range(1000)], "x"))


SETTINGS = {"X_Twilio_Webhooks_Signature_Settings": "key=k1,algorithm=HMAC_SHA256"}


def test_a_shared_key_that_is_configured_is_accepted():
    signed = webhook(URL, FORM, sign("secret", URL, FORM, "sha256"), **SETTINGS)
    carrier(URL, shared_keys={"k1": "secret"}).check(signed)
    with pytest.raises(SignatureError, match="shared key"):
        carrier(URL, shared_keys={"k2": "secret"}).check(signed)


def test_a_shared_key_does_not_let_the_auth_token_in():
    signed = webhook(URL, FORM, SIGNATURE, **SETTINGS)
    with pytest.raises(SignatureError):
        carrier(URL, shared_keys={"k1": "secret"}).check(signed)


@pytest.mark.parametrize("signed", ["wss://mycompany.com/media/t", "wss://mycompany.com/media/t/"])
def test_a_handshake_is_known_by_its_signature(signed):
    handshake = Webhook("GET", "/media/t", CIMultiDict({"X-Twilio-Signature": sign(KEY, signed)}), b"")
    assert carrier().is_handshake_signed(handshake)


def test_a_handshake_signed_for_another_socket_is_not():
    signature = sign(KEY, "wss://mycompany.com/media/u")
    assert not carrier().is_handshake_signed(
        Webhook("GET", "/media/t", CIMultiDict({"X-Twilio-Signature": signature}), b"")
    )
    assert not carrier().is_handshake_signed(Webhook("GET", "/media/t", CIMultiDict(), b""))
