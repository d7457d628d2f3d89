"""What a server's answers tell of a model that bots need: its key, whether it is there, for how long. No I/O."""

from datetime import date

from bot.config import ModelServerConfig
from bot.doctor.asking import Answered
from bot.doctor.findings import Finding
from bot.doctor.wanted_engines import WantedModel
from bot.model_check import SOON_DAYS, error_code, instead, shutdown_of
from bot.speech.engine_names import setting_of
from bot.speech.model_table import warning


def model_url(server: ModelServerConfig, model: str) -> str:
    return f"{server.base_url.rstrip('/')}/models/{model}"


def model_findings(wanted: WantedModel, server: ModelServerConfig, answered: Answered, today: date) -> list[Finding]:
    """One finding for each model; what a server does not tell, our own table of models may."""
    setting, model = setting_of(wanted.name), wanted.name.model
    subject = f"{model} at {server.base_url}"
    told = warning(model, today, SOON_DAYS)
    for_whom = f"(for {', '.join(wanted.bots)})"
    if answered.fault:
        says = f"{server.base_url} cannot be reached {for_whom}: {answered.fault}"
        return [Finding("engines", subject, "problem", says, f"check {setting}.base_url and the network")]
    if answered.status in (401, 403):
        says = f"{server.base_url} refuses {setting}.api_key {for_whom}" if server.api_key else (
            f"{server.base_url} wants a key, and {setting}.api_key is not set {for_whom}"
        )  # fmt: skip
        return [Finding("engines", subject, "problem", says, f"set {setting}.api_key to a key that is valid there")]
    if answered.status == 404 and error_code(answered.body) == "model_not_found":
        says = f"{server.base_url} knows no model {model!r} {for_whom}"
        return [Finding("engines", subject, "problem", says, instead(model, wanted.use, today).lstrip(";: "))]
    if told is not None:
        return [Finding("engines", subject, "warning", told, "name another model before that day")]
    off = shutdown_of(answered.body)
    if off is not None and (off - today).days <= SOON_DAYS:
        says = f"{model} is switched off on {off.isoformat()}"
        return [Finding("engines", subject, "warning", says, "name another model before that day")]
    if answered.status != 200:  # many servers that speak these protocols have no list of models
        says = f"{server.base_url} answers, and does not tell whether it has {model!r}"
        return [Finding("engines", subject, "warning", says, "call the bot from the browser to try it")]
    return [Finding("engines", subject, "ok", f"{model} is there, and the key is accepted {for_whom}")]


def socket_findings(wanted: WantedModel, server: ModelServerConfig, fault: str, took_ms: float) -> list[Finding]:
    """`fault` is why no session came to be; empty: it did, after `took_ms`."""
    subject = f"session with {wanted.name.model} at {server.base_url}"
    if fault:
        says = f"no realtime session with {wanted.name.model}: {fault}"
        remedy = f"check that {setting_of(wanted.name)}.base_url speaks the Realtime API, and that no proxy is between"
        return [Finding("engines", subject, "problem", says, remedy)]
    return [Finding("engines", subject, "ok", f"a realtime session with {wanted.name.model} began in {took_ms:.0f} ms")]
