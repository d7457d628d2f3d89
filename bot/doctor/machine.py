"""Port, processes, accounts and bots, as findings. No I/O."""

from bot.config import BotConfig, Config
from bot.doctor.findings import Finding
from bot.doctor.port_probe import PortSeen


def port_findings(config: Config, seen: PortSeen) -> list[Finding]:
    where = f"{config.server.host}:{config.server.port}"
    if config.server.port == 0:
        says = "server.port is 0: each start takes another port"
        return [Finding("service", "port", "warning", says, "set it to a port that a proxy can lead to")]
    if seen.is_offhook:
        return [Finding("service", "port", "ok", f"Offhook listens on {where}")]
    if seen.fault:
        says = f"{where} cannot be taken: {seen.fault}"
        return [Finding("service", "port", "problem", says, "stop what listens there, or choose another server.port")]
    return [Finding("service", "port", "ok", f"{where} is free for offhook serve")]


def worker_findings(config: Config, cores: int) -> list[Finding]:
    workers = config.server.workers
    if workers > cores:
        says = f"{workers} workers share {cores} {'core' if cores == 1 else 'cores'}"
        remedy = f"set server.workers to {cores}, and leave room for local models"
        return [Finding("service", "workers", "warning", says, remedy)]
    return [Finding("service", "workers", "ok", f"{workers} of {cores} cores answer calls")]


def account_findings(has_admin: bool | None) -> list[Finding]:
    """None: it could not be found out."""
    if has_admin is None:
        return []
    if has_admin:
        return [Finding("service", "sign-in", "ok", "an admin can sign in")]
    remedy = "start the service and open the link in its log, or set review.admin_password_hash (offhook password)"
    return [Finding("service", "sign-in", "warning", "nobody can sign in to the pages yet", remedy)]


def sample_finding() -> Finding:
    says = "no bot is configured, so the sample business answers"
    return Finding("configuration", "bots", "warning", says, "describe yours in [[bots]]")


def bot_findings(config: Config) -> list[Finding]:
    found = [_silent(bot.name) for bot in config.bots if _lacks_facts(bot)]
    names = ", ".join(bot.name for bot in config.bots)
    many = "bot is" if len(config.bots) == 1 else "bots are"
    return [Finding("configuration", "bots", "ok", f"{len(config.bots)} {many} configured: {names}"), *found]


def _lacks_facts(bot: BotConfig) -> bool:
    return bot.voice == "chained" and bot.chained.responder == "facts" and not bot.facts


def _silent(name: str) -> Finding:
    says = f"the bot {name!r} answers from facts, and has none"
    return Finding("configuration", name, "warning", says, "add [[bots.facts]] with ask and answer")
