"""Settings of the whole run: the order of tests, what counts for coverage, and deadlines.

A user's own settings of powerd do not reach them, a test that hangs ends alone, and what they start ends with them.
"""

from __future__ import annotations

import gc
import os
import signal
import tempfile
from collections.abc import Generator
from pathlib import Path

import coverage
import hypothesis
import pytest

from app.entrypoints.demo.own_environment import forget_settings
from app.entrypoints.demo.reaper import start_reaper
from tests import workers
from tests.deadlines import Deadline
from tests.slowness import slowness

MEASURED = ("tests/contracts/", "tests/unit/")
NOT_MEASURED = "tests/unit/test_random_faults.py"
"""It looks for orders of faults, not for lines, and being traced it would take twice as long."""

if "PYTEST_XDIST_WORKER" in os.environ:
    # This process is measured already, by way of the variable; what it starts is not (it doubles the start-up).
    os.environ.pop("COVERAGE_PROCESS_START", None)
forget_settings(but=("POWERD_TEST_", "POWERD_BENCH_"))
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As in the background of a shell; what the tests start would ignore their Ctrl-C, and hang.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long a test takes says more about the machine than about the code.
hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.load_profile("suite")


def pytest_configure(config: pytest.Config) -> None:
    """Every process of the run has a directory of its own for temporary files, and ends what it started."""
    slowness()
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())  # tmp_path stays, to be looked at
    directory = tempfile.mkdtemp(prefix="powerd-", dir=os.environ["PYTEST_DEBUG_TEMPROOT"])
    start_reaper(Path(directory), remove=True)
    tempfile.tempdir = os.environ["TMPDIR"] = directory
    config.pluginmanager.register(Deadline())
    config.pluginmanager.register(workers)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that may take long (they have a timeout of their own) go first, so that none is alone at the end.

    The others that meet neighbours go by module, since a module shares a dev chain or a Redis; or by a group that
    they name.
    """
    items.sort(key=lambda item: item.get_closest_marker("timeout") is None)
    for item in items:
        if (
            item.get_closest_marker("timeout") is None
            and item.get_closest_marker("xdist_group") is None
            and not item.nodeid.startswith("tests/unit/")
        ):
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))


def pytest_collection_finish() -> None:
    """What was loaded by now stays: no collection of garbage need look at it (simulated farms make much of that)."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Domain and codecs owe their coverage to the tests of their own; the others need not be slowed by tracing."""
    measuring = coverage.Coverage.current()
    if measuring is None or is_measured(item.nodeid):
        return (yield)
    measuring.stop()
    try:
        return (yield)
    finally:
        measuring.start()


def is_measured(nodeid: str) -> bool:
    """Whether its coverage counts."""
    return nodeid.startswith(MEASURED) and not nodeid.startswith(NOT_MEASURED)
