"""Every async unit test runs in virtual time: waiting costs nothing, and a deadlock is an error."""

from __future__ import annotations

from typing import Any

import pytest

from app.adapters.simulated.clock import VirtualClock, VirtualLoop
from tests.rigs.virtual_farm import VirtualFarm


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Plain asyncio, on a loop in virtual time."""
    return "asyncio", {"loop_factory": VirtualLoop}


@pytest.fixture
def clock() -> VirtualClock:
    """The clock of the loop the test runs on."""
    return VirtualClock()


@pytest.fixture
def farm(clock: VirtualClock) -> VirtualFarm:
    """Three nodes."""
    return VirtualFarm(clock, nodes=3)


@pytest.fixture
def big_farm(clock: VirtualClock) -> VirtualFarm:
    """Thirty nodes."""
    return VirtualFarm(clock, nodes=30)
