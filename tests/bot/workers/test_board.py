import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot.workers.board import Board, Row
from bot.workers.lines import SharedLines

GREEDY = """
import sys
from pathlib import Path
from bot.workers.board import Board
board, me, lines = Board(Path(sys.argv[1])), int(sys.argv[2]), 0
print("ready", flush=True)
input()
while board.take_line(me, lines, max_calls=500):
    lines += 1
print(lines)
"""
HOLDER = """
import sys, time
from pathlib import Path
from bot.workers.board import Board
with Board(Path(sys.argv[1]))._locked():
    print("ready", flush=True)
    time.sleep(60)
"""


def start(program: str, path: Path, *options: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(path), *options],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.fixture
def path(tmp_path: Path) -> Path:
    Board.make(tmp_path / "board", 4).close()
    return tmp_path / "board"


def test_what_one_worker_writes_the_others_read(path: Path):
    mine, theirs = Board(path), Board(path)
    mine.write(2, Row(is_open=True, live_calls=3, lines=5))
    assert theirs.rows() == {1: Row(), 2: Row(is_open=True, live_calls=3, lines=5), 3: Row(), 4: Row()}
    assert SharedLines(theirs, 1, max_calls=9).live_calls(own=4) == 7


def test_a_line_is_taken_only_while_one_is_free_over_all_workers(path: Path):
    board = Board(path)
    board.write(1, Row(is_open=True, lines=2))
    lines = SharedLines(board, 2, max_calls=4)
    assert lines.take(0)
    assert lines.take(1)
    assert not lines.take(2)
    assert board.row(2).lines == 2
    board.write(1, Row())  # as the foreman does for a worker that has died
    assert lines.take(2)


def test_processes_in_a_hurry_never_take_more_lines_than_there_are(path: Path):
    processes = [start(GREEDY, path, str(worker)) for worker in range(1, 5)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    assert sum(int(process.communicate()[0]) for process in processes) == 500


def test_a_worker_killed_while_it_holds_the_lock_blocks_nobody(path: Path):
    holder = start(HOLDER, path)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    holder.communicate()
    assert Board(path).take_line(1, 0, max_calls=1)
