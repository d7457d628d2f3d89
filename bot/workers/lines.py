"""The lines of a service that is several processes, as one of them sees them."""

from bot.workers.board import Board


class SharedLines:
    """Fulfils `bot.supervisor.Lines` with the board that all workers share."""

    def __init__(self, board: Board, me: int, max_calls: int) -> None:
        self._board = board
        self._me = me
        self._max_calls = max_calls

    def take(self, lines: int) -> bool:
        return self._board.take_line(self._me, lines, self._max_calls)

    def live_calls(self, own: int) -> int:
        return own + sum(row.live_calls for worker, row in self._board.rows().items() if worker != self._me)
