"""Whether the call log and the recordings can be written: tried, and taken back."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from bot.calllog import database
from bot.calllog.schema import leases
from bot.config import StorageConfig
from bot.errors import StoreError


@dataclass(frozen=True, slots=True)
class DatabaseSeen:
    is_there: bool = True
    is_current: bool = True
    fault: str = ""


@dataclass(frozen=True, slots=True)
class FolderSeen:
    path: Path
    """The folder, or the nearest above it that is there."""
    is_there: bool
    fault: str
    free_bytes: int


async def look_at_database(url: str) -> DatabaseSeen:
    """A write is begun and taken back."""
    try:
        address = database.parse_url(url)
    except StoreError as exc:
        return DatabaseSeen(fault=str(exc))
    if database.is_sqlite(address) and not Path(str(address.database)).is_file():
        return DatabaseSeen(is_there=False, fault=look_at_folder(Path(str(address.database)).absolute().parent).fault)
    engine = database.create_engine(address)
    try:
        with database.explained(address, "write"):
            async with database.for_writing(engine).connect() as connection:
                is_current = await connection.run_sync(database.is_current)
                if is_current:
                    await connection.execute(leases.delete().where(text("1 = 0")))
                await connection.rollback()
    except StoreError as exc:
        return DatabaseSeen(fault=str(exc))
    finally:
        await engine.dispose()
    return DatabaseSeen(is_current=is_current)


def look_at_folder(folder: Path) -> FolderSeen:
    """Writes a file that has no name, where the system has such; blocks for a moment."""
    nearest = folder.absolute()
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    try:
        with tempfile.TemporaryFile(dir=nearest):
            fault = ""
    except OSError as exc:
        fault = f"{nearest}: {exc.strerror or exc}"
    return FolderSeen(nearest, folder.is_dir(), fault, shutil.disk_usage(nearest).free)


def look_at_recordings(storage: StorageConfig) -> FolderSeen:
    return look_at_folder(Path(storage.recordings))
