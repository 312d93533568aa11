"""``powerd`` on its own terminal: its output, input, Ctrl-C, another size."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
from collections.abc import Mapping
from contextlib import suppress

from app.entrypoints.demo.installation import program
from tests.slowness import patient

INTERRUPT = b"\x03"
"""The character of Ctrl-C."""


class Terminal:
    """A terminal on which the program runs; it controls the program, so that `INTERRUPT` is SIGINT."""

    def __init__(self, environment: Mapping[str, str], *arguments: str, lines: int = 24, columns: int = 80) -> None:
        self._master, slave = pty.openpty()
        self.resize(lines, columns)
        self.process = subprocess.Popen(
            ["setsid", "--ctty", "--wait", program("powerd"), *arguments],
            env={"PATH": os.environ["PATH"], "TERM": "xterm", **environment},
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )
        os.close(slave)
        self.said = b""
        self._interrupted = False

    def resize(self, lines: int, columns: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def read_until(self, words: bytes) -> None:
        while words not in self.said:
            self.said += os.read(self._master, 1024)

    def forget(self) -> None:
        """Forget the output so far, for `read_until`."""
        self.said = b""

    def answer(self, text: bytes) -> None:
        self._interrupted = text == INTERRUPT
        os.write(self._master, text)

    def end(self) -> int:
        """Wait for the end of the program; return its exit code."""
        with suppress(OSError):  # the program ends, and the terminal with it
            while True:
                if self._interrupted and not select.select([self._master], [], [], patient(5))[0]:
                    # A signal between the prompt and readline's wait for input is seen at the next key only.
                    self.answer(INTERRUPT)
                elif chunk := os.read(self._master, 1024):
                    self.said += chunk
                else:
                    break
        os.close(self._master)
        return self.process.wait(patient(60))
