"""Ctrl-C while a program loads, and while Python cleans up: the process ends as by the signal, without a traceback."""

from __future__ import annotations

import signal
import sys
from importlib import import_module

INTERRUPTED = 130
"""The exit code that a shell gives to a program that Ctrl-C ended."""


def run_program(module: str) -> None:
    """Import ``module``, and run its ``main``."""
    handler = signal.getsignal(signal.SIGINT)
    at_once = signal.SIG_IGN if handler is signal.SIG_IGN else signal.SIG_DFL  # ignored in the background of a shell
    signal.signal(signal.SIGINT, at_once)
    main = import_module(module).main
    try:
        signal.signal(signal.SIGINT, handler)
        main()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    finally:
        signal.signal(signal.SIGINT, at_once)
