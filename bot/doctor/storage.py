"""What was seen of the database and of the recordings' folder, as findings. No I/O."""

from bot.calllog import database
from bot.config import Config
from bot.doctor.findings import Finding, Level
from bot.doctor.storage_probe import DatabaseSeen, FolderSeen

_BYTES_A_HOUR = 2 * 2 * 8000 * 3600  # two channels of 16 bits at 8 kHz
_LITTLE, _TOO_LITTLE = 5e9, 5e8


def database_findings(config: Config, seen: DatabaseSeen) -> list[Finding]:
    if seen.fault:
        remedy = "check that the user who runs Offhook may write there, that the server runs, that no disk is full"
        return [Finding("storage", "call log", "problem", seen.fault, remedy)]
    address = database.describe(database.parse_url(config.storage.database))
    if not seen.is_there:
        return [Finding("storage", "call log", "ok", f"{address} is made when the service starts first")]
    if not seen.is_current:
        says = f"{address} is of an older Offhook"
        return [
            Finding("storage", "call log", "warning", says, "it is upgraded at the next start: make a backup first")
        ]
    return [Finding("storage", "call log", "ok", f"{address} can be written, and its tables are up to date")]


def recordings_findings(config: Config, seen: FolderSeen) -> list[Finding]:
    if not any(bot.record for bot in config.bots):
        return [Finding("storage", "recordings", "ok", "no bot's calls are recorded")]
    folder = config.storage.recordings
    if seen.fault:
        says = f"recordings cannot be written to {folder}: {seen.fault}"
        return [Finding("storage", "recordings", "problem", says, "give the folder to the user who runs Offhook")]
    room = f"room for about {seen.free_bytes / _BYTES_A_HOUR:,.0f} hours of calls"
    says = f"{folder} can be written, with {seen.free_bytes / 1e9:,.1f} GB free: {room}"
    if seen.free_bytes < _LITTLE:
        level: Level = "problem" if seen.free_bytes < _TOO_LITTLE else "warning"
        return [Finding("storage", "recordings", level, says, "make room, or give bots keep_days")]
    return [Finding("storage", "recordings", "ok", says)]
