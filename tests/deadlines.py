"""A test that takes too long fails alone and by name, and the run goes on.

The alarm's exception is a `KeyboardInterrupt`, since that one alone passes through asyncio's tasks and
callbacks; it is made a failure of the test around each phase. The alarm comes again until the test ends: what
is cleaned up after it may hang as well. Where Python code does not get to run at all (a call into C that
does not return), the process ends a while later with all stacks; tests/workers.py then goes on without it.
"""

from __future__ import annotations

import asyncio
import faulthandler
import gc
import io
import os
import signal
import sys
import threading
import traceback
from collections.abc import Generator
from types import FrameType
from typing import Any

import pytest

from tests.slowness import about_the_machine, patient

AGAIN_S = 5.0
HARD_S = 60.0
"""So much later the process ends, if the alarm brought nothing."""

Report = pytest.TestReport


class TooLate(KeyboardInterrupt):
    """The running test has used up its time."""


class Deadline:
    """Of the test that runs, one at a time."""

    def __init__(self) -> None:
        self._stderr = os.dup(2)  # captured while tests run
        self._in_phase = False
        self._limit_s = 0.0
        self._stacks = ""

    def pytest_timeout_set_timer(self, item: pytest.Item, settings: Any) -> bool:
        """In the place of pytest-timeout's own timer, which knows the limit."""
        if threading.current_thread() is threading.main_thread() and not item.config.getoption("usepdb"):
            self._limit_s = patient(settings.timeout)
            signal.signal(signal.SIGALRM, self._alarm)
            signal.setitimer(signal.ITIMER_REAL, self._limit_s, AGAIN_S)
            faulthandler.dump_traceback_later(self._limit_s + patient(HARD_S), exit=True, file=self._stderr)
        return True

    def pytest_timeout_cancel_timer(self) -> bool:
        """Pytest-timeout would do so after a failure; but the teardown is still to come."""
        return True

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self) -> Generator[None, object, object]:
        """The one place where the timer is taken back."""
        self._stacks = ""
        try:
            return (yield)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            faulthandler.cancel_dump_traceback_later()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self) -> Generator[None, object, object]:
        """The alarm rings in the three phases only."""
        return (yield from self._phase())

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        """As above."""
        return (yield from self._phase())

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self) -> Generator[None, object, object]:
        """As above."""
        return (yield from self._phase())

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self) -> Generator[None, Report, Report]:
        """What was late says where it stood, and what failed on a slow machine says that it was slow.

        Pytest parses the sources it shows; if garbage is collected meanwhile whose end is shown too, as a test
        that was torn leaves it, Python before 3.12.3 ends that with a `SystemError` (its issue 106905).
        """
        gc.disable()
        try:
            report = yield
        finally:
            gc.enable()
        if self._stacks and report.when == "call" and report.passed:
            report.outcome, report.longrepr = "failed", self._too_late()  # some code swallowed the exception
        if report.failed:
            if self._stacks:
                report.sections.append(("what ran when the time was over", self._stacks))
            if slow := about_the_machine():
                report.sections.append(("the machine", slow))
        return report

    def _phase(self) -> Generator[None, object, object]:
        __tracebackhide__ = True
        self._in_phase = True
        try:
            return (yield)
        except TooLate as late:
            self._in_phase = False
            raise pytest.fail.Exception(self._too_late()).with_traceback(late.__traceback__) from None
        finally:
            self._in_phase = False

    def _alarm(self, _number: int, frame: FrameType | None) -> None:
        __tracebackhide__ = True
        if self._in_phase:
            self._stacks = self._stacks or _stacks()
            raise TooLate

    def _too_late(self) -> str:
        return f"it took longer than {self._limit_s:g} s"


def _stacks() -> str:
    """Of the other threads, and of the tasks that wait."""
    text = io.StringIO()
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    for ident, frame in sys._current_frames().items():
        if ident != threading.get_ident():
            print(f"thread {names.get(ident, ident)}:", file=text)
            traceback.print_stack(frame, file=text)
    try:
        tasks = asyncio.all_tasks()
    except RuntimeError:  # no loop runs in this thread
        tasks = set()
    for task in tasks:
        task.print_stack(file=text)
    return text.getvalue() or "only the test's own thread"
