"""Threads with their own network or rights: the kernel keeps both per thread.

They do not affect the test process, and leave nothing behind.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from tests.rigs.needs import CLONE_NEWNET, network_namespaces

CAPABILITY_VERSION_3 = 0x20080522

Result = TypeVar("Result")


def in_network_namespace(body: Callable[[], Result]) -> Result:
    """Result of ``body()`` in a thread whose network is empty, and where it may do anything."""
    network_namespaces()
    return _in_thread_after(_leave_network, body)


def without_capabilities(body: Callable[[], Result]) -> Result:
    """Result of ``body()`` in a thread that has no rights beyond a plain user's, even as root."""
    return _in_thread_after(_drop_capabilities, body)


def _in_thread_after(prepare: Callable[[], None], body: Callable[[], Result]) -> Result:
    outcome: Future[Result] = Future()

    def run() -> None:
        try:
            prepare()
            outcome.set_result(body())
        except BaseException as error:  # noqa: BLE001  # raised again in the test
            outcome.set_exception(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return outcome.result()


def _leave_network() -> None:
    _check(ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET))


def _drop_capabilities() -> None:
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)  # 0: this thread
    none = (ctypes.c_uint32 * 6)()
    _check(ctypes.CDLL(None, use_errno=True).capset(header, none))


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
