"""For all tests: their order, what of them is measured for coverage, no example is timed, and what is loaded stays."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator

import coverage
import hypothesis
import pytest

MEASURED = ("tests/contracts/", "tests/unit/")
NOT_MEASURED = "tests/unit/test_random_faults.py"
"""It looks for orders of faults, not for lines, and being traced it would take twice as long."""

if "PYTEST_XDIST_WORKER" in os.environ:
    # This process is measured already, by way of the variable; what it starts is not (it doubles the start-up).
    os.environ.pop("COVERAGE_PROCESS_START", None)

# How long a test takes says more about the machine than about the code.
hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.load_profile("suite")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that may take long (they have a timeout of their own) go first, so that none is alone at the end.

    The others that meet neighbours go by module, since a module shares a dev chain or a Redis.
    """
    items.sort(key=lambda item: item.get_closest_marker("timeout") is None)
    for item in items:
        if item.get_closest_marker("timeout") is None and not item.nodeid.startswith("tests/unit/"):
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
