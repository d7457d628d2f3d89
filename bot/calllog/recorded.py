"""Where a call's recording is, and what lies beside it; read without the rest of the call: players ask many times."""

from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.calllog.schema import calls, recordings
from bot.calllog.storable import storable_key


async def recording_of(connection: AsyncConnection, call_id: str) -> Path | None:
    """The first recording's file, whether it is still there or not; None without one, or without such a call."""
    this_one = calls.c.call_id == storable_key(call_id), calls.c.place.is_not(None)
    query = select(recordings.c.path).join(calls, calls.c.id == recordings.c.call_row).where(*this_one)
    path = (await connection.execute(query.order_by(recordings.c.id).limit(1))).scalar()
    return None if path is None else Path(path)


def words_beside(recording: Path) -> Path:
    """The file with the times of what is said in a recording; it goes when the recording goes."""
    return recording.with_suffix(".words.json")
