"""``powerd check --service``: runs the check as the unit powerd.service runs the daemon."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from app.domain.errors import PermanentError

OPTION = "--service"
USER = "powerd"
PROPERTIES = {
    "EnvironmentFile": "-/etc/powerd/powerd.env",
    "LoadCredential": "node-key:/etc/powerd/node.key",
    "AmbientCapabilities": "CAP_NET_RAW CAP_NET_ADMIN",
}
"""As in packaging/systemd/powerd.service: a test compares them."""


class NotAsService(PermanentError):
    """The check can't be run as the service."""

    exit_code = 2


def run_as_service(words: Sequence[str]) -> NoReturn:
    """Put systemd-run in the place of this process. ``words``: the command line, which names the option."""
    if shutil.which("systemd-run") is None:
        raise NotAsService(f"there is no systemd-run on this host: leave out {OPTION}, and run it as powerd's user")
    if os.geteuid() != 0:
        raise NotAsService(f"{OPTION} reads the node's key, which only root can: run it as root (sudo)")
    if not (key := Path(PROPERTIES["LoadCredential"].partition(":")[2])).exists():
        raise NotAsService(f"there is no {key}, from which systemd gives the key to the service: put the key there")
    program, *rest = words
    properties = [word for name, value in PROPERTIES.items() for word in ("-p", f"{name}={value}")]
    command = [
        *("systemd-run", "--wait", "--pipe", "--collect", f"--uid={USER}", *properties),
        *(str(Path(program).resolve()), *(word for word in rest if word != OPTION)),
    ]
    os.execvp(command[0], command)  # noqa: S606  # it gets exactly these words
