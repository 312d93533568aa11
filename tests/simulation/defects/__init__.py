"""Defects of the reference (the Go program), planted into our daemon one at a time: can the simulator find them?

Each wraps `assemble`, and changes the services it made, or a port before they are made.
"""

from __future__ import annotations

from tests.simulation.defects.defect import Defect
from tests.simulation.defects.events import EVENTS
from tests.simulation.defects.invariants import INVARIANTS
from tests.simulation.defects.own_power import OWN_POWER
from tests.simulation.defects.paid import PAID
from tests.simulation.defects.uptime import UPTIME
from tests.simulation.defects.waking import WAKING

DEFECTS: dict[str, Defect] = {**EVENTS, **OWN_POWER, **WAKING, **INVARIANTS, **UPTIME, **PAID}
