"""Uptime, boot id and health, read from /proc and from flag files.

Zero-OS' other daemons set flags as empty files in one directory. With the flag of a broken or missing
cache disk (``readonly-cache``, ``limited-cache``) the node must not report uptime. ``not-reachable`` is
only logged. powerd does not read other flags (``vm-test-failed``).
"""

from __future__ import annotations

import logging
import os
import uuid
from pathlib import Path

from app.adapters.processes.exhausted import remedy_of
from app.domain.errors import PermanentError
from app.domain.model import Health

UNHEALTHY_FLAGS = ("readonly-cache", "limited-cache")
NOTED_FLAG = "not-reachable"

_log = logging.getLogger(__name__)


class LinuxHostFacts:
    """`HostFacts` from ``proc`` and from the flag files in ``flags_dir`` (which can be missing).

    ``machine`` is the file of a simulated machine (`boot_stand_in`), whose boots are not this host's. Methods
    raise `PermanentError` where /proc is hidden from the process.
    """

    def __init__(self, flags_dir: Path, proc: Path = Path("/proc"), machine: Path | None = None) -> None:
        self._flags_dir = flags_dir
        self._proc = proc
        self._machine = machine
        self._noted = False

    def uptime_s(self) -> int:
        """The host's uptime (CLOCK_BOOTTIME, which includes the time in suspend)."""
        return int(float(self._read("uptime").split()[0]) - self._stand_in()[1])

    def boot_id(self) -> str:
        """The random UUID that the kernel made at boot."""
        return self._stand_in()[0] or self._read("sys/kernel/random/boot_id").strip()

    def health(self) -> Health:
        """The flags with which the node must not report uptime."""
        noted = self._is_set(NOTED_FLAG)
        if noted != self._noted:
            _log.warning("the flag %s is %s", NOTED_FLAG, "set" if noted else "no longer set")
            self._noted = noted
        return Health(tuple(flag for flag in UNHEALTHY_FLAGS if self._is_set(flag)))

    def _stand_in(self) -> tuple[str, float]:
        """The simulated machine's boot id, and the host's uptime at its boot; empty and 0 on a real machine."""
        if self._machine is None or not self._machine.exists():
            return "", 0.0
        boot_id, at_s = self._machine.read_text(encoding="ascii").split()
        return boot_id, float(at_s)

    def _is_set(self, flag: str) -> bool:
        """Whether the flag is set. It counts as set on every error but "not found"."""
        try:
            os.stat(self._flags_dir / flag)  # noqa: PTH116  # Path.exists() would swallow other errors
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return True

    def _read(self, name: str) -> str:
        path = self._proc / name
        try:
            return path.read_text(encoding="ascii")
        except OSError as error:
            hidden = "powerd's systemd unit must not hide /proc (ProcSubset=pid does)"
            raise PermanentError(f"can't read {path}: {error.strerror}; {remedy_of(error, hidden)}") from error


def boot_stand_in(machine: Path) -> None:
    """Write a new boot into the file of a simulated machine."""
    at_s = Path("/proc/uptime").read_text(encoding="ascii").split()[0]
    machine.write_text(f"{uuid.uuid4()} {at_s}", encoding="ascii")
