"""The cards that powerd armed for its power-off, in a file for the hook that runs last in a shutdown.

A service that stops after powerd (a network manager) may disarm a card. systemd runs the programs of its
directory system-shutdown after everything else. One of them, packaging/systemd-shutdown/powerd-wake,
reads this file, which has a line for each thing to switch on: ``card NAME MODES`` (ethtool's letters) or
``wakeup FILE``. The file is in /run, so that a boot removes it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

log = logging.getLogger("powerd.nic")


class ArmedCards:
    """The file; with ``path`` None there is none. A failure is only logged, since the hook is a second safeguard."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def write(self, lines: Iterable[str]) -> None:
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
        """Remove the file: powerd orders no power-off, so the hook must leave the cards alone."""
        if self._path is None:
            return
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("%s can't be removed: %s", self._path, error.strerror)
