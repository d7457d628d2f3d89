"""`offhook local` as a process of its own, for clients that wait: OpenAI's synchronous one, and Node's."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

_FACTS = """
[log]
format = "json"

[[bots]]
name = "reception"

[[bots.facts]]
ask = ["What are your opening hours?", "When are you open?", "When do you close?"]
answer = "We are open from nine to six, Monday to Saturday."

[[bots.facts]]
ask = ["How old is the Brooklyn Bridge?", "When was the bridge opened?"]
answer = "The Brooklyn Bridge was opened in 1883."
"""


@contextmanager
def offhook_local(folder: Path) -> Iterator[str]:
    """The base URL of the running command; it has the real models, and the business of `local_server.py`."""
    facts = folder / "facts.toml"
    facts.write_text(_FACTS)
    command = [sys.executable, "-m", "bot", "local", "--port", "0", "--facts", str(facts)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        try:
            yield _base_url(process)
        finally:
            process.terminate()


def _base_url(process: "subprocess.Popen[bytes]") -> str:
    assert process.stderr is not None
    for line in process.stderr:
        said = json.loads(line)
        if said["event"] == "local_server_listening":
            Thread(target=process.stderr.read, daemon=True).start()  # what it logs must not fill the pipe
            return str(said["base_url"])
    raise AssertionError("offhook local ended before it listened")
