"""`SystemctlHostPower` on real processes: what is left of them, and what the operator reads."""

from __future__ import annotations

import asyncio
import os
import select
import time
from pathlib import Path

import pytest

from app.adapters.linux.host_power import SystemctlHostPower
from app.domain.errors import HostPowerFailed
from tests.slowness import patient

pytestmark = pytest.mark.anyio


def host(*command: str, state: tuple[str, ...] = (), timeout_s: float = patient(20)) -> SystemctlHostPower:
    """All orders run ``command``."""
    return SystemctlHostPower(command, command, command, command, state, timeout_s)


def shell(script: str, timeout_s: float = patient(20)) -> SystemctlHostPower:
    return host("/bin/sh", "-c", script, timeout_s=timeout_s)


async def complaint(power: SystemctlHostPower) -> str:
    with pytest.raises(HostPowerFailed) as caught:
        await power.power_off()
    return str(caught.value)


def is_reaped(pid: int) -> bool:
    """Whether nothing is left of a child; one that ended and was not waited for still has its id."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def ends(pid: int) -> bool:
    """Whether the process, which need not be our child, ends within a few seconds."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], patient(10))[0])
    finally:
        os.close(descriptor)


async def test_a_hung_command_is_killed_with_its_children_and_reaped(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    said = await complaint(shell(f"sleep 60 & echo $$ $! >{pids}; wait", timeout_s=1))
    assert "did not end within 1 s" in said
    child, grandchild = (int(word) for word in pids.read_text().split())
    assert is_reaped(child)
    assert ends(grandchild)


async def test_a_cancelled_order_leaves_no_process(tmp_path: Path) -> None:
    pid_pipe = tmp_path / "pid"
    os.mkfifo(pid_pipe)
    order = asyncio.ensure_future(shell(f"echo $$ >{pid_pipe}; exec sleep 60").power_off())
    child = int(await asyncio.to_thread(pid_pipe.read_text))
    order.cancel()
    with pytest.raises(asyncio.CancelledError):
        await order
    assert is_reaped(child)


async def test_a_command_that_goes_on_in_the_background_was_accepted() -> None:
    began_s = time.monotonic()
    await shell("sleep 30 & exit 0").power_off()
    assert time.monotonic() - began_s < 20


async def test_the_message_ends_with_what_the_command_said_last() -> None:
    said = await complaint(shell("seq 1 100000; echo 'the fan is on fire' >&2; exit 3"))
    assert "exited with 3" in said
    assert said.endswith("the fan is on fire")
    assert len(said) < 1000


async def test_a_silent_failure_says_that_it_was_silent() -> None:
    assert "exited with 7: it printed nothing" in await complaint(shell("exit 7"))


async def test_a_command_that_another_program_killed_was_not_accepted() -> None:
    assert "was killed by signal 9" in await complaint(shell("kill -9 $$"))


@pytest.mark.parametrize(
    "words",
    [
        "Failed to power off system via logind: Access denied",
        "Call to PowerOff failed: Interactive authentication required.",
        "poweroff: must be root",
    ],
)
async def test_a_refusal_for_want_of_rights_names_the_remedy(words: str) -> None:
    said = await complaint(shell(f"echo '{words}'; exit 1"))
    assert words in said
    assert "run powerd as root" in said
    assert "polkit" in said


async def test_a_missing_command_is_named_with_the_remedy() -> None:
    said = await complaint(host("/usr/bin/systemctl-of-elsewhere", "poweroff"))
    assert "there is no /usr/bin/systemctl-of-elsewhere" in said
    assert "settings" in said


async def test_a_command_that_may_not_be_executed_is_named_with_the_remedy(tmp_path: Path) -> None:
    script = tmp_path / "poweroff"
    script.write_text("#!/bin/sh\n")
    assert f"has no right to execute {script}" in await complaint(host(str(script)))


async def test_a_file_that_is_no_program_is_an_error_and_not_a_crash(tmp_path: Path) -> None:
    script = tmp_path / "poweroff"
    script.write_text("no program\n")
    script.chmod(0o755)
    assert "can't be run" in await complaint(host(str(script)))


async def test_an_order_without_a_command_asks_for_one() -> None:
    assert "no command for this is configured" in await complaint(host())


@pytest.mark.parametrize(
    ("printed", "stopping"),
    [("stopping", True), ("running", False), ("degraded", False), ("offline", False), ("", False)],
)
async def test_only_the_word_stopping_means_stopping(printed: str, *, stopping: bool) -> None:
    power = host(state=("/bin/sh", "-c", f"echo {printed}; exit 1"))
    assert await power.stopping() is stopping


async def test_a_host_that_cannot_tell_is_not_stopping() -> None:
    assert not await host().stopping()


async def test_a_state_that_cannot_be_asked_is_an_error() -> None:
    with pytest.raises(HostPowerFailed, match="there is no /nowhere"):
        await host(state=("/nowhere",)).stopping()


@pytest.mark.parametrize("program", ["/usr/bin/systemctl-of-elsewhere", "systemctl-of-elsewhere"])
async def test_the_check_names_a_missing_command_and_the_remedy(program: str) -> None:
    with pytest.raises(HostPowerFailed, match=rf"`{program} poweroff` can't be run: there is no .* settings"):
        await host(program, "poweroff").check()


async def test_the_check_names_a_command_that_may_not_be_executed(tmp_path: Path) -> None:
    script = tmp_path / "poweroff"
    script.write_text("#!/bin/sh\n")
    with pytest.raises(HostPowerFailed, match=f"no {script} that powerd's user can execute"):
        await host(str(script)).check()


async def test_the_check_asks_for_a_command_where_none_is_named() -> None:
    with pytest.raises(HostPowerFailed, match="no command for this is configured"):
        await host().check()


async def test_the_check_finds_a_command_on_the_path_and_does_not_run_it(tmp_path: Path) -> None:
    await host("touch", str(tmp_path / "made")).check()
    assert not (tmp_path / "made").exists()
