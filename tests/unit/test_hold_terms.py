"""A hold for a duration lasts so long whatever is done to the clock; a hold until a date ends at the date."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.adapters.files.holds import FileHolds
from app.adapters.linux.clock import SystemClock
from app.adapters.simulated.host_facts import SimulatedHostFacts
from app.domain.errors import HoldsUnreadable
from app.domain.model import Hold

HOUR_S = 3600.0


class Machine(SystemClock):
    """A machine with a directory for holds that outlives its boots, whose clock may be set."""

    def __init__(self, directory: Path) -> None:
        self._set_by_s = self._passed_s = 0.0
        self.facts = SimulatedHostFacts(self, uptime_s=500.0)
        self.directory = directory
        self.holds = FileHolds(directory, self, self.facts)

    def now(self) -> float:
        return 1_700_000_000 + self._passed_s + self._set_by_s

    def monotonic(self) -> float:
        return self._passed_s

    def passes(self, seconds: float) -> None:
        self._passed_s += seconds

    def is_set_by(self, seconds: float) -> None:
        self._set_by_s += seconds

    def place(self, lasts_s: float | None, expires_in_s: float | None = None) -> None:
        end_s = lasts_s if lasts_s is not None else expires_in_s
        self.holds.place(Hold("backup", "copies", None if end_s is None else self.now() + end_s), lasts_s)

    def held(self) -> bool:
        return bool(asyncio.run(self.active()))

    async def active(self) -> list[Hold]:
        return list(await self.holds.active())

    def write(self, **fields: object) -> None:
        self.directory.joinpath("hand.json").write_text(json.dumps({"reason": "r", **fields}))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize("by_s", [2 * HOUR_S, -2 * HOUR_S, 1e9, -1e9, 0.0])
def test_a_clock_that_is_set_neither_shortens_nor_lengthens_a_duration(machine: Machine, by_s: float) -> None:
    machine.place(HOUR_S)
    machine.passes(10)
    machine.is_set_by(by_s)
    assert machine.held()
    machine.passes(HOUR_S - 11)
    assert machine.held()
    machine.passes(3)
    assert not machine.held()


def test_it_is_never_shorter_than_asked_for_though_uptime_is_in_whole_seconds(machine: Machine) -> None:
    machine.passes(0.9)
    machine.place(90)
    machine.passes(89.99)
    assert machine.held()


def test_its_end_is_shown_by_the_clock_of_now(machine: Machine) -> None:
    machine.place(HOUR_S)
    machine.is_set_by(2 * HOUR_S)
    [hold] = machine.holds.all()[0]
    assert hold.expires_at_s == pytest.approx(machine.now() + HOUR_S, abs=1.5)


def test_a_hold_until_a_date_ends_when_the_clock_says_so(machine: Machine) -> None:
    machine.place(None, expires_in_s=HOUR_S)
    assert machine.held()
    machine.is_set_by(2 * HOUR_S)
    assert not machine.held()


def test_a_hold_without_end_has_none(machine: Machine) -> None:
    machine.place(None)
    machine.is_set_by(1e9)
    machine.passes(1e9)
    assert machine.held()


def test_after_a_reboot_it_lasts_to_its_date_at_least(machine: Machine) -> None:
    machine.place(10 * HOUR_S)
    machine.facts.boot()
    machine.passes(10 * HOUR_S - 10)
    assert machine.held()


def test_after_a_reboot_a_clock_that_was_set_ahead_leaves_the_whole_duration(machine: Machine) -> None:
    machine.place(HOUR_S)
    machine.facts.boot()
    machine.is_set_by(1e9)
    assert machine.held()
    machine.passes(HOUR_S - 1)
    assert machine.held()
    machine.passes(2)
    assert not machine.held()


def test_what_an_older_powerd_reads_is_the_date(machine: Machine) -> None:
    machine.place(HOUR_S)
    saved = json.loads((machine.directory / "backup.json").read_text())
    assert saved["expires_at_s"] == machine.now() + HOUR_S


def test_a_file_of_an_older_powerd_or_by_hand_has_a_date_or_no_end(machine: Machine) -> None:
    machine.write(expires_at_s=machine.now() + 60)
    assert machine.held()
    machine.passes(61)
    assert not machine.held()
    machine.write()
    assert machine.held()


def test_a_duration_by_hand_without_its_date_holds_till_it_is_lifted_after_a_reboot(machine: Machine) -> None:
    machine.write(lasts_s=60, ends_at_s=600, boot_id="another")
    machine.passes(1e6)
    assert machine.held()


@pytest.mark.parametrize(
    "fields",
    [
        {"lasts_s": 60},
        {"lasts_s": 60, "ends_at_s": 600},
        {"lasts_s": "60", "ends_at_s": 600, "boot_id": "b"},
        {"lasts_s": 60, "ends_at_s": True, "boot_id": "b"},
        {"lasts_s": 60, "ends_at_s": float("inf"), "boot_id": "b"},
        {"lasts_s": None, "ends_at_s": 600, "boot_id": "b"},
    ],
)
def test_a_duration_that_is_none_is_doubt(machine: Machine, fields: dict[str, object]) -> None:
    machine.write(**fields)
    with pytest.raises(HoldsUnreadable, match=r"hand\.json is no hold"):
        asyncio.run(machine.active())


@pytest.fixture
def strict_umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.mark.usefixtures("strict_umask")
def test_a_hold_placed_under_a_strict_umask_is_readable_by_the_daemon(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "holds")
    machine.place(HOUR_S)
    assert (machine.directory.stat().st_mode & 0o777, (machine.directory / "backup.json").stat().st_mode & 0o777) == (
        0o755,
        0o644,
    )
