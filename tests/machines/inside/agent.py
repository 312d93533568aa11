"""Runs in the machine: carries out shell commands that come over a virtio port, one JSON object a line.

It is up from the first moments of a boot until the kernel ends it, so that a test can look at a shutdown as well.
"""

import contextlib
import json
import subprocess
import threading
import time
from typing import Any, BinaryIO

PORT = "/dev/virtio-ports/machine"


def main() -> None:
    while True:
        with contextlib.suppress(OSError), open(PORT, "r+b", buffering=0) as port:  # noqa: PTH123 - a port is no file
            serve(port)
        time.sleep(0.2)


def serve(port: BinaryIO) -> None:
    pending = b""
    lock = threading.Lock()
    while True:
        chunk = port.read(4096)
        if not chunk:
            return
        *lines, pending = (pending + chunk).split(b"\n")
        for line in lines:
            with contextlib.suppress(ValueError):
                threading.Thread(target=answer, args=(port, lock, json.loads(line)), daemon=True).start()


def answer(port: BinaryIO, lock: threading.Lock, asked: Any) -> None:
    ended = subprocess.run(
        ["/bin/sh", "-c", asked["sh"]],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    said = {"id": asked["id"], "code": ended.returncode, "said": ended.stdout.decode(errors="replace")[-20000:]}
    with lock, contextlib.suppress(OSError):
        port.write(json.dumps(said).encode() + b"\n")


if __name__ == "__main__":
    main()
