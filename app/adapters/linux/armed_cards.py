"""The cards that powerd armed for a power-off it ordered, in a file for the last hook of the shutdown.

What stops after powerd (a network manager) may disarm a card. systemd runs the programs of its
directory system-shutdown after everything else; packaging/systemd-shutdown/powerd-wake reads this
file there, a line for each thing to switch on: ``card NAME MODES`` (ethtool's letters) or
``wakeup FILE``. The file lies in /run: a boot later it is gone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

log = logging.getLogger("powerd.nic")


class ArmedCards:
    """The file; none where ``path`` is None. What fails is logged: the power-off does not depend on the hook."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def write(self, lines: Iterable[str]) -> None:
        """Write it, whole or not at all."""
        if self._path is None:
            return
        beside = self._path.with_name(self._path.name + ".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_text("".join(f"{line}\n" for line in lines))
            beside.replace(self._path)
        except OSError as error:
            log.warning("the last hook of the shutdown will not arm the card again: %s: %s", self._path, error.strerror)

    def remove(self) -> None:
        """The machine stays up: a power-off that comes now is not powerd's."""
        if self._path is None:
            return
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("%s can't be removed: %s", self._path, error.strerror)
