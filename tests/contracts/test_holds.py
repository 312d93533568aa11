"""What every `Holds` does: in memory, in files, as logind's inhibitors (listed by a script), and several as one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.adapters.files.holds import AllHolds, FileHolds
from app.adapters.linux.clock import SystemClock
from app.adapters.linux.host_facts import LinuxHostFacts
from app.adapters.linux.inhibitors import TYPE, LogindInhibitors
from app.adapters.simulated.holds import SimulatedHolds
from app.domain.errors import HoldsUnreadable
from app.domain.model import Hold
from app.ports.holds import Holds

FACTS = LinuxHostFacts(Path("/nowhere"))

pytestmark = pytest.mark.anyio

NOW_S = SystemClock().now()
FOREVER = Hold("operator", "copies disks", None)
LATER = Hold("backup", "nightly", NOW_S + 3600)
OVER = Hold("old", "yesterday", NOW_S - 1)


@dataclass(frozen=True)
class Rig:
    """A port; who holds the machine from now on; and how it becomes unreadable."""

    holds: Holds
    set: Callable[[Sequence[Hold]], None]
    break_it: Callable[[], None]


def simulated(_: Path) -> Rig:
    holds = SimulatedHolds(SystemClock())
    placed: list[Hold] = []

    def set_holds(wanted: Sequence[Hold]) -> None:
        for hold in placed:
            holds.lift(hold.holder)
        placed[:] = wanted
        for hold in placed:
            holds.place(hold)

    def break_it() -> None:
        holds.unreadable = True

    return Rig(holds, set_holds, break_it)


def files(tmp_path: Path) -> Rig:
    directory = tmp_path / "holds"
    holds = FileHolds(directory, SystemClock(), FACTS)

    def set_holds(wanted: Sequence[Hold]) -> None:
        for path in directory.glob("*.json"):
            holds.lift(path.stem)
        for hold in wanted:
            holds.place(hold)

    def break_it() -> None:
        directory.mkdir(exist_ok=True)
        (directory / "torn.json").write_text("{")

    return Rig(holds, set_holds, break_it)


def inhibitors(tmp_path: Path) -> Rig:
    printed = tmp_path / "printed"

    def set_holds(wanted: Sequence[Hold]) -> None:
        rows = [["shutdown", hold.holder, hold.reason, "block", 0, 7] for hold in wanted]
        printed.write_text(json.dumps({"type": TYPE, "data": [rows]}))

    def break_it() -> None:
        printed.write_text("")

    set_holds([])
    return Rig(LogindInhibitors(("cat", str(printed)), 20, required=True), set_holds, break_it)


def joined(tmp_path: Path) -> Rig:
    first, second = files(tmp_path), inhibitors(tmp_path)

    def set_holds(wanted: Sequence[Hold]) -> None:
        first.set(wanted[:1])
        second.set(wanted[1:])

    return Rig(AllHolds([first.holds, second.holds]), set_holds, second.break_it)


def joined_with_broken_files(tmp_path: Path) -> Rig:
    rig = joined(tmp_path)
    return Rig(rig.holds, rig.set, files(tmp_path).break_it)


EXPIRING = [simulated, files]
MAKERS = [*EXPIRING, inhibitors, joined, joined_with_broken_files]


@pytest.fixture(params=MAKERS)
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Rig:
    made: Rig = request.param(tmp_path)
    return made


async def test_without_holds_there_are_none(rig: Rig) -> None:
    assert isinstance(rig.holds, Holds)
    assert list(await rig.holds.active()) == []


async def test_every_holder_is_named_with_the_reason_until_it_lets_go(rig: Rig) -> None:
    rig.set([FOREVER, Hold("upgrade", "kernel", None)])
    told = sorted(await rig.holds.active(), key=lambda hold: hold.holder)
    assert [(hold.holder.split()[0], hold.reason) for hold in told] == [
        ("operator", "copies disks"),
        ("upgrade", "kernel"),
    ]
    rig.set([FOREVER])
    assert [hold.reason for hold in await rig.holds.active()] == ["copies disks"]
    rig.set([])
    assert list(await rig.holds.active()) == []


async def test_what_is_shown_is_what_was_read_last_or_newer(rig: Rig) -> None:
    rig.set([FOREVER])
    read = await rig.holds.active()
    assert list(rig.holds.shown()) == list(read)
    rig.set([])
    await rig.holds.active()
    assert list(rig.holds.shown()) == []


@pytest.mark.parametrize("make", [*EXPIRING, joined])
async def test_a_hold_in_a_file_is_shown_at_once(make: Callable[[Path], Rig], tmp_path: Path) -> None:
    rig = make(tmp_path)
    rig.set([LATER])
    assert [hold.holder for hold in rig.holds.shown()] == ["backup"]


async def test_an_unreadable_hold_is_doubt_although_others_hold(rig: Rig) -> None:
    rig.set([FOREVER])
    rig.break_it()
    with pytest.raises(HoldsUnreadable):
        await rig.holds.active()


@pytest.mark.parametrize("make", EXPIRING)
async def test_a_hold_is_in_force_until_it_expires(make: Callable[[Path], Rig], tmp_path: Path) -> None:
    rig = make(tmp_path)
    rig.set([FOREVER, LATER, OVER])
    assert sorted(hold.holder for hold in await rig.holds.active()) == ["backup", "operator"]
    assert FOREVER in await rig.holds.active()


@pytest.mark.parametrize("make", EXPIRING)
async def test_a_holder_has_one_hold(make: Callable[[Path], Rig], tmp_path: Path) -> None:
    rig = make(tmp_path)
    rig.set([LATER, Hold("backup", "longer", None)])
    assert list(await rig.holds.active()) == [Hold("backup", "longer", None)]


@pytest.mark.parametrize("device", ["", "/dev/zero"], ids=["pipe", "device without end"])
async def test_what_is_no_file_in_place_of_a_hold_is_doubt_and_is_not_read(tmp_path: Path, device: str) -> None:
    if device:
        (tmp_path / "backup.json").symlink_to(device)
    else:
        os.mkfifo(tmp_path / "backup.json")
    with pytest.raises(HoldsUnreadable, match="it is no regular file"):
        await FileHolds(tmp_path, SystemClock(), FACTS).active()


async def test_a_huge_file_in_place_of_a_hold_is_doubt_and_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "backup.json").open("wb") as huge:
        huge.truncate(1 << 40)
    with pytest.raises(HoldsUnreadable, match="it has more than 1048576 bytes"):
        await FileHolds(tmp_path, SystemClock(), FACTS).active()
