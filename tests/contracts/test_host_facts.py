"""What every `HostFacts` does: the simulated machine, and Linux read from a made-up /proc."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.adapters.linux.host_facts import LinuxHostFacts
from app.adapters.simulated.clock import VirtualClock
from app.adapters.simulated.host_facts import SimulatedHostFacts
from app.ports.host_facts import HostFacts
from tests.rigs.virtual_time import Body, run_really, run_virtually

FLAG = "readonly-cache"


@dataclass(frozen=True)
class Rig:
    """A machine booted 100.9 s ago; how time passes on it; how it is booted; how it falls ill."""

    facts: HostFacts
    pass_time: Callable[[float], Awaitable[None]]
    boot: Callable[[], None]
    fall_ill: Callable[[], None]
    run: Callable[[Body], None]


def simulated(_: Path) -> Rig:
    clock = VirtualClock()
    facts = SimulatedHostFacts(clock, uptime_s=100.9)

    def fall_ill() -> None:
        facts.problems = (FLAG,)

    return Rig(facts, clock.sleep, facts.boot, fall_ill, run_virtually)


def linux(tmp_path: Path) -> Rig:
    flags, boot_id, uptime = tmp_path / "flags", tmp_path / "sys/kernel/random/boot_id", tmp_path / "uptime"
    flags.mkdir()
    boot_id.parent.mkdir(parents=True)
    boot_id.write_text("f477e3a5-fc4f-48ad-b48c-92110aef89f7\n")
    uptime.write_text("100.90 350.12\n")

    async def pass_time(seconds: float) -> None:
        uptime.write_text(f"{float(uptime.read_text().split()[0]) + seconds:.2f} 0.00\n")

    def boot() -> None:
        boot_id.write_text("11111111-fc4f-48ad-b48c-92110aef89f7\n")
        uptime.write_text("0.00 0.00\n")

    return Rig(LinuxHostFacts(flags, tmp_path), pass_time, boot, (flags / FLAG).touch, run_really)


@pytest.fixture(params=[simulated, linux])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Rig:
    made: Rig = request.param(tmp_path)
    return made


def test_uptime_counts_whole_seconds_since_boot(rig: Rig) -> None:
    async def body() -> None:
        assert isinstance(rig.facts, HostFacts)
        assert rig.facts.uptime_s() == 100
        await rig.pass_time(10)
        assert rig.facts.uptime_s() == 110

    rig.run(body)


def test_the_boot_id_stays_until_the_next_boot(rig: Rig) -> None:
    async def body() -> None:
        first = rig.facts.boot_id()
        await rig.pass_time(10)
        assert rig.facts.boot_id() == first
        rig.boot()
        assert rig.facts.boot_id() != first
        assert rig.facts.boot_id()
        assert rig.facts.uptime_s() == 0

    rig.run(body)


def test_health_names_what_speaks_against_the_node(rig: Rig) -> None:
    assert rig.facts.health().good
    rig.fall_ill()
    assert rig.facts.health().problems == (FLAG,)
