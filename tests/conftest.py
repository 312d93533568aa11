"""For all tests: no example is timed, and what tests start is not measured for coverage (it doubles the start-up)."""

import os

import hypothesis

if "PYTEST_XDIST_WORKER" in os.environ:
    # This process is measured already, by way of the variable.
    os.environ.pop("COVERAGE_PROCESS_START", None)

# How long a test takes says more about the machine than about the code.
hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.load_profile("suite")
