"""Ends a daemon's process."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress
from typing import NoReturn


def end_at_once(code: int) -> NoReturn:
    """End the process without Python's own clean-up, which can hang for ever.

    A daemon has threads that Python stops wherever they are: one that was importing a module keeps the lock for that,
    and finalizers of libraries import too (that of redis-py's connection pool does).
    """
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)
