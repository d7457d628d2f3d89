"""Whether carriers can reach this service: what `server.public_url` says, and what answers there. No I/O."""

from ipaddress import ip_address
from urllib.parse import urlsplit

import msgspec

from bot.config import Config
from bot.doctor.asking import Answered
from bot.doctor.findings import Finding


class _Ready(msgspec.Struct):
    status: str


def public_url_findings(config: Config, answered: Answered | None, *, is_listening: bool) -> list[Finding]:
    """`answered` is what /readyz said there, None where no URL is configured; `is_listening`: something does here."""
    url = config.server.public_url
    if not url:
        return [_without_url(config)]
    found = [_scheme(url)]
    if answered is not None:
        found.append(_reached(url, answered, is_listening=is_listening))
    return found


def is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _without_url(config: Config) -> Finding:
    where = f"http://{config.server.host}:{config.server.port}"
    if config.carriers.twilio is None or not config.carriers.twilio.api_base:
        return Finding("network", "public_url", "ok", f"no carrier needs one: rehearsals and the browser use {where}")
    says = f"server.public_url is not set, so the carrier would be sent to {where}, which it cannot reach"
    return Finding("network", "public_url", "problem", says, "set it to the https:// address of this service")


def _scheme(url: str) -> Finding:
    if url.startswith("https://"):
        return Finding("network", "public_url", "ok", f"{url} is encrypted")
    if is_local(url):
        says, remedy = f"only this machine reaches {url}", "carriers need an https:// address in server.public_url"
        return Finding("network", "public_url", "warning", says, remedy)
    remedy = "put a proxy with a certificate in front, and write https:// in server.public_url"
    says = f"{url} is not encrypted: calls and passwords can be overheard, browsers give no microphone"
    return Finding("network", "public_url", "problem", says, remedy)


def _reached(url: str, answered: Answered, *, is_listening: bool) -> Finding:
    ready = answered.json(_Ready)
    if answered.status == 200 and ready is not None and ready.status == "ready":
        return Finding("network", "reachable", "ok", f"{url} leads to a service that is ready for calls")
    if answered.status == 503 and ready is not None:
        says = f"{url} leads to a service that is {ready.status}"
        return Finding("network", "reachable", "warning", says, "wait until it is ready, then check again")
    got = answered.fault or f"HTTP {answered.status}"
    if not is_listening:
        says = f"{url} cannot be reached while the service does not run ({got})"
        return Finding("network", "reachable", "warning", says, "start it with offhook serve, then check again")
    says = f"{url} does not lead to this service: {got}"
    remedy = "check the name in DNS, the proxy and the firewall; some networks cannot reach their own public address"
    return Finding("network", "reachable", "problem", says, remedy)
