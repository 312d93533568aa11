"""What every `Telemetry` and every `FaultDisplay` does: it takes every event and fault, and shows it."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from app.adapters.simulated.fault_display import SimulatedFaultDisplay
from app.adapters.telemetry.log import LogTelemetry, NoDisplay, TextFormatter
from app.domain.events import DomainEvent
from app.domain.model import Fault
from app.ports.fault_display import FaultDisplay
from app.ports.telemetry import Telemetry
from tests.contracts.samples import DOMAIN_EVENTS, missing
from tests.rigs.simulated.telemetry import SimulatedTelemetry


@dataclass(frozen=True)
class TelemetryRig:
    telemetry: Telemetry
    count: Callable[[], int]


def log_of_its_own() -> tuple[logging.Logger, io.StringIO]:
    """A logger of this test alone, and what it wrote."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(TextFormatter())
    logger = logging.Logger("alone", logging.DEBUG)  # noqa: LOG001  # a named one would outlive the test
    logger.addHandler(handler)
    return logger, written


@pytest.fixture(params=["simulated", "log"])
def telemetry_rig(request: pytest.FixtureRequest) -> TelemetryRig:
    if request.param == "simulated":
        kept = SimulatedTelemetry()
        return TelemetryRig(kept, lambda: len(kept.recorded))
    logger, written = log_of_its_own()
    return TelemetryRig(LogTelemetry(logger), lambda: len(written.getvalue().splitlines()))


def test_there_is_a_sample_of_every_domain_event() -> None:
    assert missing() == set()


@pytest.mark.parametrize("event", DOMAIN_EVENTS, ids=lambda event: type(event).__name__)
def test_each_domain_event_is_noted_once(telemetry_rig: TelemetryRig, event: DomainEvent) -> None:
    assert isinstance(telemetry_rig.telemetry, Telemetry)
    telemetry_rig.telemetry.record(event)
    assert telemetry_rig.count() == 1


@pytest.mark.parametrize("display", [SimulatedFaultDisplay(), NoDisplay()], ids=["simulated", "none"])
@pytest.mark.anyio
async def test_a_display_takes_whatever_it_is_given(display: FaultDisplay) -> None:
    assert isinstance(display, FaultDisplay)
    for faults in ([], [Fault("nic", "no card")], [Fault("nic", "two cards"), Fault("chain", "no answer")], []):
        await display.show(faults)


@pytest.mark.anyio
async def test_only_a_change_of_the_faults_shows() -> None:
    display = SimulatedFaultDisplay()
    nic, chain = Fault("nic", "no card"), Fault("chain", "no answer")
    for faults in ([], [nic], [nic], [nic, chain], [Fault("nic", "two cards"), chain], [chain], []):
        await display.show(faults)
    assert len(display.history) == 5
