"""The operator's command for faults, as a real process."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from dependency_injector import providers

from app.adapters.processes import command, fault_hook
from app.adapters.processes.fault_hook import FaultHook
from app.domain.events import FaultCleared, FaultRaised, RebootOrdered
from app.domain.faults import FaultKind
from app.entrypoints.settings.loading import load_settings
from app.entrypoints.wiring.container import Container
from tests.slowness import patient

pytestmark = pytest.mark.anyio

KEY = FaultKind.WALLET.key()
NASTY = 'no TFT on 5Grw; $(touch pwned) `id`\n\0 "quoted" \ud800'


@asynccontextmanager
async def running(command: Sequence[str], timeout_s: float = 30.0) -> AsyncIterator[FaultHook]:
    hook = FaultHook(command, patient(timeout_s))
    task = asyncio.create_task(hook.run())
    try:
        yield hook
    finally:
        task.cancel()
        await asyncio.wait([task], timeout=patient(5))
        assert task.cancelled()


async def until_lines(path: Path, count: int) -> list[str]:
    async with asyncio.timeout(patient(20)):
        while len(lines := lines_of(path)) < count:  # noqa: ASYNC110 - the file has no event
            await asyncio.sleep(0.01)
    return lines


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def writes(path: Path) -> list[str]:
    script = f'echo "$FAULT_STATE $FAULT_KEY ${{POWERD_LOG_LEVEL-unset}} ${{FAULT_REMEDY:+remedy}}" >> {path}'
    return ["sh", "-c", script]


async def test_it_runs_once_when_a_fault_appears_and_once_when_it_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERD_LOG_LEVEL", "debug")
    out = tmp_path / "out"
    async with running(writes(out)) as hook:
        hook.record(FaultRaised(KEY, "3 TFT are missing"))
        hook.record(FaultRaised(KEY, "the account is gone"))
        hook.record(RebootOrdered(forced=False))
        hook.record(FaultCleared(KEY))
        hook.record(FaultRaised(KEY, "3 TFT are missing"))
        lines = await until_lines(out, 3)
    assert lines == [f"{state} wallet unset remedy" for state in ("raised", "cleared", "raised")]


async def test_a_text_is_never_a_command(tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ["sh", "-c", 'printf "%s" "$FAULT_MESSAGE" > "$0"; echo >> "$0"; echo end >> "$0"', str(out)]
    async with running(command) as hook:
        hook.record(FaultRaised(KEY, NASTY))
        await until_lines(out, 3)
    assert lines_of(out) == [*NASTY.replace("\0", "").replace("\ud800", "?").split("\n"), "end"]
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        (["sh", "-c", "echo no mail server >&2; exit 3"], "ended with code 3: no mail server"),
        (["/no/such/program"], "can't be started: No such file"),
        (["sleep", "1000"], "took more than"),
    ],
)
async def test_one_that_fails_is_logged_and_the_next_change_is_handed_on(
    tmp_path: Path, command: list[str], complaint: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(command, timeout_s=0.2) as hook:
        hook.record(FaultRaised(KEY, "x"))
        hook.record(FaultCleared(KEY))
        async with asyncio.timeout(patient(20)):
            while len(caplog.messages) < 2:  # noqa: ASYNC110 - the log has no event
                await asyncio.sleep(0.01)
    assert [complaint in message for message in caplog.messages] == [True, True]
    assert "wallet raised" in caplog.messages[0]
    assert "faults.hook_command" in caplog.messages[0]


async def test_one_that_floods_its_output_uses_up_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "OUTPUT_BYTES_MAX", 10_000)
    # Ends once what it printed was thrown away, and else never.
    flood = 'printf "%020000d" 0; until test $(stat -Lc %s /proc/self/fd/3) -lt 20000; do :; done 3>&1; echo end'
    ended = await command.run_command(["sh", "-c", flood], patient(20))
    assert (ended.code, ended.tail) == (0, "end")


async def test_one_that_hangs_holds_nothing_up_and_drops_the_oldest(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fault_hook, "WAITING_MAX", 2)
    async with running(["sleep", "1000"], timeout_s=1000) as hook:
        hook.record(FaultRaised(KEY, "x"))
        await asyncio.sleep(0)
        for number in range(4):
            hook.record(FaultRaised(FaultKind.NODE_MAC.key(number), "x"))
    assert [message.partition(": ")[2].split()[1] for message in caplog.messages] == ["node-0-mac", "node-1-mac"]


async def test_a_fault_on_the_board_reaches_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    loaded = load_settings(None, {}, {"profile": "simulated", "faults.hook_command": tuple(writes(out))})
    made = Container(settings=providers.Object(loaded))
    made.fault_hook.override(made.program_fault_hook)
    task = asyncio.create_task(made.fault_hook().run())
    made.faults().report(KEY, "3 TFT are missing")
    made.faults().clear(KEY)
    lines = await until_lines(out, 2)
    task.cancel()
    assert [line.split()[0] for line in lines] == ["raised", "cleared"]


async def test_a_kernel_that_does_not_announce_the_end_of_a_process_is_asked_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(_: int) -> int:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(os, "pidfd_open", missing)
    ended = await command.run_command(["sh", "-c", "echo done; exit 3"], patient(20))
    assert (ended.code, ended.tail) == (3, "done")
    with pytest.raises(TimeoutError):
        await command.run_command(["sleep", "1000"], 0.2)


def descriptors() -> list[Path]:
    return sorted(Path("/proc/self/fd").iterdir())


async def test_a_command_leaves_no_descriptor_open() -> None:
    before = descriptors()
    await command.run_command(["true"], patient(20))
    with pytest.raises(TimeoutError):
        await command.run_command(["sleep", "1000"], 0.2)
    assert descriptors() == before
