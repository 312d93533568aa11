"""What every `WindowMemory` does, in memory and in a file alike; and what only a file has to survive."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path

import pytest

from app.adapters.files.window_memory import FileWindowMemory
from app.adapters.simulated.window_memory import SimulatedWindowMemory
from app.domain.errors import WindowMemoryUnusable
from app.domain.rules.paid import DownWindow
from app.ports.window_memory import WindowMemory

pytestmark = pytest.mark.anyio

INTENT = DownWindow("boot-1", 1_700_000_000.5)
OPEN = DownWindow("boot-1", 1_700_000_006.0, 17, "0xab", sure=True, requested_at_s=1_700_000_060.25, up_block=19)


@pytest.fixture
def anyio_backend() -> str:
    """Real time: a file is read in a thread."""
    return "asyncio"


@pytest.fixture(params=["simulated", "files"])
def memory(request: pytest.FixtureRequest, tmp_path: Path) -> WindowMemory:
    return SimulatedWindowMemory() if request.param == "simulated" else FileWindowMemory(tmp_path / "a" / "window.json")


async def test_a_fresh_memory_knows_nothing_and_can_forget_it(memory: WindowMemory) -> None:
    assert isinstance(memory, WindowMemory)
    assert await memory.load() is None
    await memory.clear()
    assert await memory.load() is None


async def test_it_remembers_the_last_window_until_it_is_cleared(memory: WindowMemory) -> None:
    for window in (INTENT, OPEN):
        await memory.save(window)
        assert await memory.load() == window
    await memory.clear()
    assert await memory.load() is None


async def test_what_cannot_be_kept_or_read_is_unusable(tmp_path: Path) -> None:
    simulated = SimulatedWindowMemory()
    simulated.unreadable = simulated.unwritable = True
    (tmp_path / "file").write_text("")
    for memory in (simulated, FileWindowMemory(tmp_path / "file" / "window.json")):
        with pytest.raises(WindowMemoryUnusable):
            await memory.save(OPEN)
        with pytest.raises(WindowMemoryUnusable):
            await memory.load()
        with pytest.raises(WindowMemoryUnusable):
            await memory.clear()


def test_a_file_survives_the_process(tmp_path: Path) -> None:
    asyncio.run(FileWindowMemory(tmp_path / "window.json").save(OPEN))
    assert asyncio.run(FileWindowMemory(tmp_path / "window.json").load()) == OPEN


@pytest.mark.parametrize(
    "over",
    [
        {"boot_id": 7},
        {"down_hash": None},
        {"sure": 1},
        {"was_up": "yes"},
        {"down_block": -1},
        {"down_block": 1.5},
        {"up_block": True},
        {"opened_at_s": "soon"},
        {"opened_at_s": float("nan")},
        {"opened_at_s": float("inf")},
        {"requested_at_s": -1},
    ],
    ids=str,
)
async def test_what_is_no_window_is_reported_and_counts_as_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, over: dict[str, object]
) -> None:
    (tmp_path / "window.json").write_text(json.dumps({**asdict(OPEN), **over}))
    assert await FileWindowMemory(tmp_path / "window.json").load() is None
    assert "window.json" in caplog.text


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"7", b"null", b"\xff", b"{}", b"[" * 100_000], ids=range(8))
async def test_a_torn_file_is_reported_and_counts_as_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    (tmp_path / "window.json").write_bytes(content)
    memory = FileWindowMemory(tmp_path / "window.json")
    assert await memory.load() is None
    assert "window.json" in caplog.text
    await memory.save(OPEN)
    assert await memory.load() == OPEN
