"""What every `Telemetry` and every `Faults` does: it takes whatever it is told, and shows it."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from app.adapters.simulated.faults import SimulatedFaults
from app.adapters.simulated.telemetry import SimulatedTelemetry
from app.adapters.telemetry.faults_log import LogFaults
from app.adapters.telemetry.log import LogTelemetry, TextFormatter
from app.domain.events import Happening
from app.domain.model import Fault
from app.ports.faults import Faults
from app.ports.telemetry import Telemetry
from tests.contracts.samples import HAPPENINGS, missing


@dataclass(frozen=True)
class TelemetryRig:
    telemetry: Telemetry
    count: Callable[[], int]


@dataclass(frozen=True)
class FaultsRig:
    faults: Faults
    changes: Callable[[], int]


def log_of_its_own() -> tuple[logging.Logger, io.StringIO]:
    """A logger that nobody else writes to, and what it wrote."""
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
        return TelemetryRig(kept, lambda: len(kept.happenings))
    logger, written = log_of_its_own()
    return TelemetryRig(LogTelemetry(logger), lambda: len(written.getvalue().splitlines()))


@pytest.fixture(params=["simulated", "log"])
def faults_rig(request: pytest.FixtureRequest) -> FaultsRig:
    if request.param == "simulated":
        kept = SimulatedFaults()
        return FaultsRig(kept, lambda: len(kept.history))
    logger, written = log_of_its_own()
    return FaultsRig(LogFaults(logger), lambda: len(written.getvalue().splitlines()))


def test_there_is_a_sample_of_every_happening() -> None:
    assert missing() == set()


@pytest.mark.parametrize("happening", HAPPENINGS, ids=lambda happening: type(happening).__name__)
def test_each_happening_is_noted_once(telemetry_rig: TelemetryRig, happening: Happening) -> None:
    assert isinstance(telemetry_rig.telemetry, Telemetry)
    telemetry_rig.telemetry.happened(happening)
    assert telemetry_rig.count() == 1


@pytest.mark.anyio
async def test_only_a_change_of_the_faults_shows(faults_rig: FaultsRig) -> None:
    assert isinstance(faults_rig.faults, Faults)
    nic, chain = Fault("nic", "no card"), Fault("chain", "no answer")
    await faults_rig.faults.show([])
    assert faults_rig.changes() == 0
    await faults_rig.faults.show([nic])
    assert faults_rig.changes() == 1
    await faults_rig.faults.show([nic])
    assert faults_rig.changes() == 1
    await faults_rig.faults.show([nic, chain])
    assert faults_rig.changes() == 2
    await faults_rig.faults.show([Fault("nic", "two cards"), chain])
    assert faults_rig.changes() == 3
    await faults_rig.faults.show([chain])
    assert faults_rig.changes() == 4
    await faults_rig.faults.show([])
    assert faults_rig.changes() == 5
