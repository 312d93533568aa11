"""Asks a running daemon for its status."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from app.domain.errors import PermanentError
from app.domain.status import NodeStatus

ANSWER_S = 5.0
"""For the whole answer, so that one that comes byte by byte holds no caller either."""
SIZE_MAX = 16 << 20
"""A reason to hold the node may be long, and the last events repeat it."""


class DaemonSilent(PermanentError):
    """No daemon answers on this host."""

    exit_code = 2


class StatusClient:
    """Asks at the first of these paths at which a daemon listens."""

    def __init__(self, paths: Sequence[Path], *, answer_s: float = ANSWER_S) -> None:
        self._paths = paths
        self._answer_s = answer_s

    def ask(self) -> bytes:
        """The status as JSON; `DaemonSilent` says why there is none, and what to do."""
        problems = []
        for path in self._paths:
            try:
                return self._ask(path)
            except PermissionError as error:
                raise DaemonSilent(
                    f"powerd's status at {path} is not for this user: {error.strerror}; run it as root, or join the "
                    "daemon's group (usermod -aG powerd USER)"
                ) from error
            except OSError as error:
                problems.append(f"{path}: {error.strerror or error}")
        raise DaemonSilent(
            f"no daemon answers ({'; '.join(problems)}); see that powerd runs (systemctl status powerd; on Zero-OS: "
            "zinit status powerd), and that it has the same settings as this command (status.socket, --config)"
        )

    def _ask(self, path: Path) -> bytes:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
            deadline_s = time.monotonic() + self._answer_s
            caller.settimeout(self._answer_s)
            caller.connect(str(path))
            answer = b""
            while len(answer) <= SIZE_MAX and (chunk := caller.recv(65536)):
                answer += chunk
                if (left_s := deadline_s - time.monotonic()) <= 0:
                    raise TimeoutError(f"its answer did not end within {self._answer_s:g} s")
                caller.settimeout(left_s)
        if not answer.endswith(b"\n"):
            raise ConnectionResetError(104, "it ended in the middle of its answer")
        return answer


def status_of(answer: bytes) -> NodeStatus:
    """What the daemon said; `DaemonSilent` where a daemon of another version said it."""
    try:
        return msgspec.json.decode(answer, type=NodeStatus)
    except msgspec.DecodeError as error:
        raise DaemonSilent(
            f"the daemon's answer is not understood: {error}; it is of another version, so restart powerd"
        ) from error
