"""What runs after powerd in a shutdown: the note that powerd leaves, and the script that arms the card by it."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from app.adapters.linux.nic import LinuxNic
from tests.rigs.fake_kernel import MAGIC, PHY, Card, Kernel
from tests.rigs.fake_sysfs import Sysfs

HOOK = Path(__file__).parents[2] / "packaging" / "systemd-shutdown" / "powerd-wake"

ETHTOOL = """#!/bin/sh
echo "$@" >>"$CALLS"
[ "$2" != eth9 ]
"""


@pytest.fixture
def note(tmp_path: Path) -> Path:
    return tmp_path / "run" / "armed-cards"


@pytest.fixture
def switch(tmp_path: Path, mocker: MockerFixture) -> Path:
    """That of eth0; beside it in a bond is eth1, without one."""
    sysfs = Sysfs(tmp_path / "sys")
    made = sysfs.device("pci0000:00/0000:00:1f.6", wakeup="enabled")
    sysfs.card("eth0", "pci0000:00/0000:00:1f.6")
    kernel = Kernel(sysfs=sysfs.root)
    kernel.install(mocker)
    kernel.add(Card("bond0", "54:b2:03:a0:11:22", kind="bond", supported=0))
    kernel.add(Card("eth0", "54:b2:03:a0:11:22", master="bond0", on=MAGIC | PHY))
    kernel.add(Card("eth1", "54:b2:03:a0:11:33", master="bond0", on=MAGIC))
    return made


def run_hook(tmp_path: Path, note: Path, kind: str = "poweroff") -> tuple[list[str], str]:
    """How it called ethtool, and what it complained of."""
    programs = tmp_path / "bin"
    programs.mkdir(exist_ok=True)
    (programs / "ethtool").write_text(ETHTOOL)
    (programs / "ethtool").chmod(0o755)
    calls, log = tmp_path / "calls", tmp_path / "log"
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "CALLS": str(calls),
        "POWERD_NIC_ARMED_FILE": str(note),
        "POWERD_HOOK_LOG": str(log),
        "POWERD_HOOK_SYSFS": str(tmp_path / "sys"),
    }
    subprocess.run([HOOK, kind], env=environment, check=True)
    return calls.read_text().splitlines() if calls.exists() else [], log.read_text() if log.exists() else ""


def lines(note: Path) -> list[str]:
    return note.read_text().splitlines() if note.exists() else []


def test_the_note_holds_all_that_has_to_be_on_and_goes_when_the_machine_stays_up(switch: Path, note: Path) -> None:
    async def body() -> None:
        nic = LinuxNic("bond0", armed_file=note)
        found = await nic.find()
        await nic.arm(found)
        assert lines(note) == []
        await nic.leaving(found)
        assert lines(note) == ["card eth0 pg", "card eth1 g", f"wakeup {switch}"]
        await nic.staying()
        assert lines(note) == []
        await nic.staying()

    asyncio.run(body())


def test_a_note_of_an_earlier_daemon_goes_at_the_first_look(switch: Path, note: Path) -> None:
    assert switch.exists()
    note.parent.mkdir()
    note.write_text("card eth0 g\n")
    asyncio.run(LinuxNic("bond0", armed_file=note).find())
    assert not note.exists()


def test_r14_the_hook_arms_what_was_disarmed_behind_powerd(switch: Path, note: Path, tmp_path: Path) -> None:
    async def leave() -> None:
        nic = LinuxNic("bond0", armed_file=note)
        await nic.leaving(await nic.find())

    asyncio.run(leave())
    switch.write_text("disabled\n")
    calls, complaints = run_hook(tmp_path, note)
    assert calls == ["-s eth0 wol pg", "-s eth1 wol g"]
    assert switch.read_text() == "enabled\n"
    assert complaints == ""


def test_a_card_that_refuses_keeps_no_other_from_being_armed(note: Path, tmp_path: Path) -> None:
    note.parent.mkdir()
    note.write_text(f"card eth9 g\nwakeup {tmp_path}/sys/devices/gone/power/wakeup\nnonsense x\ncard eth1 g\n")
    calls, complaints = run_hook(tmp_path, note)
    assert calls == ["-s eth9 wol g", "-s eth1 wol g"]
    assert [line.rstrip() for line in complaints.splitlines()] == [
        "powerd: the last hook could not arm card eth9 g",
        "powerd: the last hook could not arm nonsense x",
    ]


@pytest.mark.parametrize(
    "line", ["wakeup {}/victim", "wakeup {}/sys/devices/x/../../../victim/power/wakeup", "card -x g"]
)
def test_the_hook_does_nothing_but_arm_cards_whatever_the_note_says(note: Path, tmp_path: Path, line: str) -> None:
    (tmp_path / "sys" / "devices" / "x").mkdir(parents=True)
    (tmp_path / "victim").mkdir()
    note.parent.mkdir()
    note.write_text(f"{line.format(tmp_path)}\n")
    calls, complaints = run_hook(tmp_path, note)
    assert calls == []
    assert "could not arm" in complaints
    assert list((tmp_path / "victim").iterdir()) == []


@pytest.mark.parametrize("kind", ["reboot", "kexec", "halt"])
def test_another_kind_of_shutdown_arms_nothing(note: Path, tmp_path: Path, kind: str) -> None:
    note.parent.mkdir()
    note.write_text("card eth0 g\n")
    assert run_hook(tmp_path, note, kind) == ([], "")


def test_a_power_off_that_powerd_did_not_order_arms_nothing(note: Path, tmp_path: Path) -> None:
    assert run_hook(tmp_path, note) == ([], "")


def test_a_note_that_can_not_be_kept_is_reported_and_nothing_else_fails(
    switch: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert switch.exists()
    (tmp_path / "file").write_text("")

    async def body() -> None:
        nic = LinuxNic("bond0", armed_file=tmp_path / "file" / "armed-cards")
        await nic.leaving(await nic.find())
        await nic.staying()

    asyncio.run(body())
    assert "the last hook of the shutdown will not arm the card again" in caplog.text
