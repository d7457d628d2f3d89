"""When about something of a turn sounded, where only the turn's own times are known. Pure."""

_MS_A_LETTER = 65  # where nobody wrote down when a turn ended


def end_ms(from_ms: int, ended_ms: int | None, heard_ms: int, letters: int) -> int:
    """When a turn of so many letters ended, never before it began; a guess where neither figure is known."""
    if ended_ms is not None:
        return max(from_ms, ended_ms)
    return from_ms + (heard_ms or _MS_A_LETTER * letters)


def letter_ms(from_ms: int, to_ms: int, letters: int, at: int) -> int:
    """When the letter `at` of a turn sounded if its time is spread evenly over them."""
    length = max(1, letters)
    return from_ms + (to_ms - from_ms) * min(at, length) // length
