"""A fault that sets an attribute of the simulated world sets one that is there."""

from __future__ import annotations

import random
from typing import get_args

import pytest

from app.adapters.simulated.clock import VirtualClock
from app.adapters.simulated.ledger import Ledger
from app.entrypoints.simulator.faults.effects import BusProperty, LedgerSwitch
from app.entrypoints.simulator.world.bus import Bus

pytestmark = pytest.mark.anyio


async def test_every_switch_that_faults_set_exists(clock: VirtualClock) -> None:
    ledger = Ledger(clock.now())
    bus = Bus(clock, lambda _, __: None, lambda: False, random.Random(1))
    assert [name for name in get_args(LedgerSwitch) if not hasattr(ledger, name)] == []
    assert [name for name in get_args(BusProperty) if not hasattr(bus, name)] == []
