"""What every `BootMemory` does, in memory and in a file alike; and what only a file has to survive."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from app.adapters.files.boot_memory import FileBootMemory
from app.adapters.simulated.boot_memory import SimulatedBootMemory
from app.domain.errors import BootMemoryUnusable
from app.domain.rules.boot_loop import BootRecord
from app.ports.boot_memory import BootMemory

pytestmark = pytest.mark.anyio

FIRST, SECOND = BootRecord("boot-1", 1, 1_700_000_000.5), BootRecord("boot-2", 2, 1_700_000_060.25)


@pytest.fixture
def anyio_backend() -> str:
    """Real time: a file is read in a thread."""
    return "asyncio"


@pytest.fixture(params=["simulated", "files"])
def memory(request: pytest.FixtureRequest, tmp_path: Path) -> BootMemory:
    return SimulatedBootMemory() if request.param == "simulated" else FileBootMemory(tmp_path / "a" / "boots.json")


async def test_a_fresh_memory_knows_nothing(memory: BootMemory) -> None:
    assert isinstance(memory, BootMemory)
    assert await memory.load() is None


async def test_it_remembers_the_last_record(memory: BootMemory) -> None:
    for record in (FIRST, SECOND):
        await memory.save(record)
        assert await memory.load() == record


async def test_what_cannot_be_kept_or_read_is_unusable(tmp_path: Path) -> None:
    simulated = SimulatedBootMemory()
    simulated.unreadable = simulated.unwritable = True
    (tmp_path / "file").write_text("")
    for memory in (simulated, FileBootMemory(tmp_path / "file" / "boots.json")):
        with pytest.raises(BootMemoryUnusable):
            await memory.save(FIRST)
        with pytest.raises(BootMemoryUnusable):
            await memory.load()


def test_a_file_survives_the_process(tmp_path: Path) -> None:
    asyncio.run(FileBootMemory(tmp_path / "boots.json").save(FIRST))
    assert asyncio.run(FileBootMemory(tmp_path / "boots.json").load()) == FIRST
    assert [path.name for path in tmp_path.iterdir()] == ["boots.json"]


async def test_an_interrupted_save_leaves_the_old_record(tmp_path: Path) -> None:
    memory = FileBootMemory(tmp_path / "boots.json")
    await memory.save(FIRST)
    (tmp_path / "boots.json.new").write_text('{"boot_id": "b')
    assert await memory.load() == FIRST


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"[]", b"7", b"\xff\xfe", b"[" * 100_000),
        *(b'{"boot_id": "b", "unwanted": "x", "awake_at_s": 1}', b'{"boot_id": "b", "unwanted": 1}'),
        *(b'{"boot_id": "b", "unwanted": -1, "awake_at_s": 1}', b'{"boot_id": "b", "unwanted": 1, "awake_at_s": NaN}'),
        b'{"boot_id": "b", "unwanted": Infinity, "awake_at_s": 1}',
    ],
    ids=range(11),
)
async def test_a_torn_file_is_reported_and_counts_as_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    (tmp_path / "boots.json").write_bytes(content)
    memory = FileBootMemory(tmp_path / "boots.json")
    assert await memory.load() is None
    assert "boots.json" in caplog.text
    await memory.save(FIRST)
    assert await memory.load() == FIRST


async def test_a_file_that_cannot_be_used_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "boots.json").mkdir()
    with pytest.raises(BootMemoryUnusable, match=r"boots\.json: Is a directory; .*boot_memory\.file"):
        await FileBootMemory(tmp_path / "boots.json").load()


async def test_a_disk_that_hangs_is_left_alone(tmp_path: Path) -> None:
    pipe = tmp_path / "boots.json"
    os.mkfifo(pipe)  # opening it for reading waits for a writer
    memory = FileBootMemory(pipe, timeout_s=0.05)
    with pytest.raises(BootMemoryUnusable, match="did not answer within 0"):
        await memory.load()
    pipe.open("w").close()  # lets the thread go
