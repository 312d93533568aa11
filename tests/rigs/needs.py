"""What some tests need of the machine; without it they are skipped with the reason.

With ``POWERD_TEST_NO_SKIP=1`` (as in CI) a missing need is a failure instead, unless ``POWERD_TEST_WITHOUT`` names it.
"""

from __future__ import annotations

import ctypes
import os
from typing import NoReturn

import pytest

CLONE_NEWNET = 0x40000000


def network_namespaces() -> None:
    """Skip unless this process can make network namespaces and open raw sockets in them."""
    libc = ctypes.CDLL(None, use_errno=True)
    child = os.fork()
    if child == 0:
        os._exit(0 if libc.unshare(CLONE_NEWNET) == 0 else 1)
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        missing("network namespaces (run as root, or with CAP_SYS_ADMIN and CAP_NET_RAW)")


def missing(what: str) -> NoReturn:
    """Skip the running test because ``what`` is missing, or fail it where no test must be skipped."""
    excused = what.split()[0] in os.environ.get("POWERD_TEST_WITHOUT", "").split()
    if os.environ.get("POWERD_TEST_NO_SKIP") == "1" and not excused:
        pytest.fail(f"this machine lacks {what}, and POWERD_TEST_NO_SKIP=1 forbids skipping")
    pytest.skip(f"needs {what}")
