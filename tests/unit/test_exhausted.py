"""Where descriptors run out, each error says that, and not what the file or the command could have."""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

import app.adapters.linux.library  # noqa: F401 - now, since an import needs a descriptor too
from app.adapters.files.holds import FileHolds
from app.adapters.files.key_file import read_key
from app.adapters.files.memory import FileMemory
from app.adapters.linux import wakeup_switches
from app.adapters.linux.clock import SystemClock
from app.adapters.linux.host_facts import LinuxHostFacts
from app.adapters.linux.inhibitors import LogindInhibitors
from app.adapters.linux.rtc_alarm import LinuxRtcAlarm
from app.adapters.linux.wake_on_lan import read_wake_modes
from app.adapters.processes.orders import give_order
from app.domain.errors import PowerdError
from app.domain.model import Hold
from app.domain.rules.proved_wake import WakeRecord

SAYS = "this process has as many open files as its limit allows: restart it"


@contextmanager
def no_descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    first_free = os.dup(2)
    os.close(first_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (first_free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def sysfs_of_a_card(directory: Path) -> Path:
    device = directory / "devices" / "card"
    (device / "power").mkdir(parents=True)
    (device / "power" / "wakeup").write_text("disabled\n")
    (directory / "class" / "net" / "eth0").mkdir(parents=True)
    (directory / "class" / "net" / "eth0" / "device").symlink_to(device)
    return directory


def key_file(directory: Path) -> Path:
    path = directory / "node.key"
    path.write_text("00" * 32)
    path.chmod(0o600)
    return path


def clock(directory: Path) -> Path:
    (directory / "wakealarm").write_text("")
    (directory / "since_epoch").write_text("1000")
    return directory


Call = Callable[[Path], object]
CALLS: Mapping[str, Call] = {
    "the boot": lambda _: LinuxHostFacts(Path("/nowhere")).boot_id(),
    "a key": lambda directory: read_key(directory / "node.key"),
    "an order": lambda _: give_order(["/bin/true"], 5.0),
    "the inhibitors": lambda _: LogindInhibitors(["/bin/true"], 5.0, required=False).active(),
    "the holds": lambda directory: holds_in(directory).active(),
    "a hold": lambda directory: holds_in(directory).place(Hold("backup", "a copy", None)),
    "a record": lambda directory: FileMemory(directory / "boots.json", WakeRecord, "the record").load(),
    "the alarm": lambda directory: LinuxRtcAlarm(directory, directory / "alarm.json").arm(60),
    "a switch": lambda _: wakeup_switches.wakeup_switches("eth0"),
    "the card": lambda _: read_wake_modes("eth0"),
}
"""By what powerd asks for."""


def holds_in(directory: Path) -> FileHolds:
    return FileHolds(directory, SystemClock(), LinuxHostFacts(Path("/nowhere")))


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_without_a_free_descriptor_the_remedy_is_about_descriptors(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wakeup_switches, "SYSFS", sysfs_of_a_card(tmp_path))
    key_file(tmp_path)
    clock(tmp_path)
    loop = asyncio.new_event_loop()

    async def ask() -> None:
        found = call(tmp_path)
        if isinstance(found, Awaitable):
            await found

    try:
        with no_descriptors(), pytest.raises(PowerdError) as raised:
            loop.run_until_complete(ask())
    finally:
        loop.close()
    assert "Too many open files" in str(raised.value)
    assert str(raised.value).count(SAYS) == 1
