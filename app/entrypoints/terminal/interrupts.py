"""How a program ends by what no command expects: Ctrl-C while it loads or while Python cleans up, and a bug."""

from __future__ import annotations

import signal
import sys
import traceback
from importlib import import_module

INTERRUPTED = 130
"""The exit code that a shell gives to a program that Ctrl-C ended."""
BUG = 70
"""EX_SOFTWARE of sysexits.h. Python's own is 1, by which `powerd simulate` says that a promise was broken."""


def run_program(module: str) -> None:
    """Import ``module``, and run its ``main``. Ctrl-C shows no traceback, and a bug does."""
    handler = signal.getsignal(signal.SIGINT)
    at_once = signal.SIG_IGN if handler is signal.SIG_IGN else signal.SIG_DFL  # ignored in the background of a shell
    signal.signal(signal.SIGINT, at_once)
    main = import_module(module).main
    try:
        signal.signal(signal.SIGINT, handler)
        main()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception:  # noqa: BLE001 - a bug of any kind
        traceback.print_exc()
        sys.exit(BUG)
    finally:
        signal.signal(signal.SIGINT, at_once)
