"""A live view that takes the whole terminal, and gives it back as it was: at the end, on Ctrl-C, on Ctrl-Z."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

ENTER, LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
"""The other screen of the terminal, without a cursor; and back (xterm's control sequences)."""
HOME, ERASE_REST_OF_LINE, ERASE_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"


def takes_screens(out: TextIO) -> bool:
    """Whether it is a terminal that can show one."""
    return out.isatty() and os.environ.get("TERM", "dumb") != "dumb"


class Screen:
    """Shows lines, as many as there is room for."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def show(self, lines: Sequence[str]) -> None:
        """In the place of what was there. Lines must not be wider than the terminal."""
        height = shutil.get_terminal_size().lines
        if len(lines) > height:
            more = len(lines) - height + 1
            lines = [*lines[: height - 1], f"… {more} more lines: make the window taller"]
        self._out.write(HOME + "\n".join(f"{line}{ERASE_REST_OF_LINE}" for line in lines) + ERASE_BELOW)
        self._out.flush()

    @contextmanager
    def shown(self, redraw: Callable[[], None]) -> Iterator[None]:
        """The terminal is the view's while the body runs; ``redraw`` is called when its size changes."""
        loop = asyncio.get_running_loop()
        self._say(ENTER)
        loop.add_signal_handler(signal.SIGWINCH, redraw)
        loop.add_signal_handler(signal.SIGTSTP, self._rest, redraw)
        try:
            yield
        finally:
            for number in (signal.SIGWINCH, signal.SIGTSTP):
                loop.remove_signal_handler(number)
            self._say(LEAVE)

    def _rest(self, redraw: Callable[[], None]) -> None:
        self._say(LEAVE)
        os.kill(os.getpid(), signal.SIGSTOP)  # here it stands until SIGCONT
        self._say(ENTER)
        redraw()

    def _say(self, sequence: str) -> None:
        self._out.write(sequence)
        self._out.flush()
