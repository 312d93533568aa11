"""The run goes on when a worker of it dies: the test that it died in fails, and the rest of its tests run elsewhere.

As pytest-xdist 3.8 has it with groups, the next worker runs that test again, and the whole run ends with an
internal error if that worker has not yet collected the tests.
"""

from __future__ import annotations

import pytest
from xdist.scheduler import LoadGroupScheduling
from xdist.workermanage import WorkerController


class Scheduling(LoadGroupScheduling):  # type: ignore[misc]  # xdist has no types
    """Gives the rest of a dead worker's tests to those who are ready for them."""

    def remove_node(self, node: WorkerController) -> str | None:
        """The test in which the worker died, if it died."""
        left = {scope: dict(unit) for scope, unit in self.assigned_work.pop(node).items()}
        crashed: str | None = next((test for unit in left.values() for test, done in unit.items() if not done), None)
        if crashed is None:
            return None
        for scope, unit in left.items():
            if crashed in unit:
                unit[crashed] = True
            if not all(unit.values()):
                self.workqueue[scope] = unit
        for other in self.assigned_work:
            self._reschedule(other)
        return crashed

    def _reschedule(self, node: WorkerController) -> None:
        if node in self.registered_collections:
            super()._reschedule(node)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Scheduling | None:
    """For ``--dist loadgroup`` only."""
    return Scheduling(config, log) if config.getvalue("dist") == "loadgroup" else None
