"""For all tests: the programs that tests start are not measured for coverage, which doubles their start-up."""

import os

if "PYTEST_XDIST_WORKER" in os.environ:
    # This process is measured already, by way of the variable.
    os.environ.pop("COVERAGE_PROCESS_START", None)
