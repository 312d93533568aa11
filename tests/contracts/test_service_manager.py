"""What every `ServiceManager` hears; systemd's is read from a real notify socket, as sd_notify(3) describes it."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.adapters.linux.service_manager import SystemdServiceManager
from app.ports.service_manager import ServiceManager
from tests.rigs.simulated.service_manager import SimulatedServiceManager

SAYS: Mapping[str, set[str]] = {
    "starting": {"EXTEND_TIMEOUT_USEC=1500000"},
    "running": {"READY=1", "WATCHDOG=1"},
    "stuck": {"WATCHDOG=trigger"},
    "stopping": {"STOPPING=1"},
}


@dataclass(frozen=True)
class Rig:
    manager: ServiceManager
    heard: Callable[[], tuple[str, str]]
    """The next call and its status."""


@pytest.fixture(params=["simulated", "systemd", "abstract"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    if request.param == "simulated":
        simulated = SimulatedServiceManager(30.0)
        yield Rig(simulated, lambda: simulated.heard.pop(0))
        return
    address = str(tmp_path / "notify") if request.param == "systemd" else f"@powerd-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(address.replace("@", "\0"))
        environment = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}
        yield Rig(SystemdServiceManager(environment), lambda: call_of(receiver.recv(4096)))


def call_of(datagram: bytes) -> tuple[str, str]:
    *lines, status = datagram.decode().split("\n")
    (call,) = (call for call, says in SAYS.items() if says == set(lines))
    return call, status.removeprefix("STATUS=")


def test_each_call_is_heard_with_its_status(rig: Rig) -> None:
    assert isinstance(rig.manager, ServiceManager)
    assert rig.manager.watchdog_s == 30.0
    rig.manager.starting("waiting for the chain", within_s=1.5)
    rig.manager.running("up, as its target says")
    rig.manager.stuck("no progress")
    rig.manager.stopping("SIGTERM")
    assert [rig.heard() for _ in range(4)] == [
        ("starting", "waiting for the chain"),
        ("running", "up, as its target says"),
        ("stuck", "no progress"),
        ("stopping", "SIGTERM"),
    ]


def test_a_status_of_several_lines_says_no_more_than_a_status(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "notify"))
        SystemdServiceManager({"NOTIFY_SOCKET": str(tmp_path / "notify")}).stopping("held by x\nMAINPID=1")
        assert receiver.recv(4096) == b"STOPPING=1\nSTATUS=held by x MAINPID=1"


@pytest.mark.parametrize(
    ("status", "told"),
    [("held by x: \ud800", "held by x: ?"), ("é" * 10_000, "é" * 512), (f"a{'é' * 10_000}", f"a{'é' * 511}")],
    ids=["half a character", "long", "long, cut inside a character"],
)
def test_no_status_keeps_the_sign_of_life_back(tmp_path: Path, status: str, told: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "notify"))
        SystemdServiceManager({"NOTIFY_SOCKET": str(tmp_path / "notify")}).running(status)
        # systemd ignores what is longer than 4096 bytes.
        assert receiver.recv(65536) == f"READY=1\nWATCHDOG=1\nSTATUS={told}".encode()


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"WATCHDOG_USEC": "1000000"},
        {"NOTIFY_SOCKET": "/nowhere"},
        {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "0"},
        {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "soon"},
        {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"},
    ],
    ids=str,
)
def test_without_a_watchdog_of_this_process_there_is_none(environment: Mapping[str, str]) -> None:
    assert SystemdServiceManager(environment).watchdog_s is None


def test_one_that_can_not_be_reached_changes_nothing_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    manager = SystemdServiceManager({"NOTIFY_SOCKET": "/nowhere/notify"})
    with caplog.at_level(logging.WARNING):
        manager.running("up")
        manager.running("up")
    assert len(caplog.messages) == 1
    assert "/nowhere/notify" in caplog.messages[0]


def test_one_that_does_not_read_blocks_no_caller(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "notify"))
        manager = SystemdServiceManager({"NOTIFY_SOCKET": str(tmp_path / "notify")})
        for _ in range(2000):
            manager.running("x" * 100)
