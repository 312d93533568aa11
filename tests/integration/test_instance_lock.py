"""One daemon for each node of a host: a second one names the first, and exits."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.adapters.files.instance_lock import AlreadyRunning, InstanceLock
from tests.rigs.needs import missing
from tests.rigs.node import node_rig
from tests.rigs.program import Program

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]


def test_a_second_one_reports_which_process_holds_it(tmp_path: Path) -> None:
    first, second = InstanceLock([tmp_path]), InstanceLock([tmp_path])
    first.take("node", "powerd for node 1")
    with pytest.raises(AlreadyRunning) as caught:
        second.take("node", "powerd for node 1")
    for words in ("powerd for node 1", f"process {os.getpid()}", str(tmp_path / "node.lock"), "stop that one"):
        assert words in str(caught.value)
    second.take("another", "powerd for node 2")
    first.release()
    first.release()
    InstanceLock([tmp_path]).take("node", "powerd for node 1")


def test_a_directory_that_cannot_be_used_gives_way_to_the_next(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    directories = [tmp_path / "file" / "locks", tmp_path / "locks"]
    first, second = InstanceLock(directories), InstanceLock(directories)
    first.take("node", "powerd")
    assert (tmp_path / "locks" / "node.lock").read_text() == f"{os.getpid()}\n"
    with pytest.raises(AlreadyRunning):
        second.take("node", "powerd")
    first.release()


def test_root_sees_the_lock_of_a_service_that_has_a_user_of_its_own(tmp_path: Path) -> None:
    service = tmp_path / "powerd"
    service.mkdir()
    try:
        os.chown(service, 64001, 64001)
    except PermissionError:
        missing("another user (run as root)")
    first, second = InstanceLock([service]), InstanceLock([service, tmp_path / "elsewhere"])
    first.take("node", "powerd")
    with pytest.raises(AlreadyRunning):
        second.take("node", "powerd")
    first.release()


def test_without_any_directory_it_runs_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    InstanceLock([tmp_path / "file" / "locks"]).take("node", "powerd")
    assert "lock.dir" in caplog.text


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("precious")
    (tmp_path / "node.lock").symlink_to(tmp_path / "target")
    InstanceLock([tmp_path]).take("node", "powerd")
    assert (tmp_path / "target").read_text() == "precious"


async def test_a_second_daemon_ends_at_once_and_a_third_runs_when_the_first_is_gone() -> None:
    async with node_rig() as node:
        second, third = Program(node.daemon.command), Program(node.daemon.command)
        await node.daemon.start()
        await node.daemon.says("UptimeReported")
        extrinsics = node.extrinsics()
        await second.start()
        assert await second.ended() == 75
        told = " ".join(line["message"] for line in second.said)
        assert f"process {node.daemon.pid} holds" in told
        assert node.extrinsics() == extrinsics
        await node.follower.start()
        await node.daemon.kill()
        await third.start()
        await third.says("UptimeReported")
        assert node.follower.running
        await third.stop()
