"""Two things that pytest-xdist 3.8 does not do with groups of tests.

The run goes on when a worker dies: the test that it died in fails, and the rest of its tests run elsewhere. As xdist
has it, the next worker runs that test again, and the run ends with an internal error if that worker has not
collected its tests yet.

With pytest 9.2 the groups are respected: a worker tells them behind the ids of its tests, and since 9.2 an
id is kept elsewhere than where xdist puts it.
"""

from __future__ import annotations

from collections.abc import Generator

import pytest
from _pytest.nodeid import NodeId
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
        return crashed.removesuffix(f"@{self._split_scope(crashed)}")

    def _reschedule(self, node: WorkerController) -> None:
        if node in self.registered_collections:
            super()._reschedule(node)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Scheduling | None:
    """For ``--dist loadgroup`` only."""
    return Scheduling(config, log) if config.getvalue("dist") == "loadgroup" else None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> Generator[None, None, None]:
    """Here a worker tells the ids; in reports the tests have their plain names."""
    plain = [(item, item._id) for item in session.items]
    for item, _ in plain:
        group = item.get_closest_marker("xdist_group")
        if group is not None and session.config.getoption("loadgroup", False):
            item._id = NodeId.parse(f"{item.nodeid}@{group.args[0]}")
    try:
        return (yield)
    finally:
        for item, name in plain:
            item._id = name
