"""What every `BlockCursor` does, in memory and in files alike."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.adapters.files.block_cursor import FileBlockCursor
from app.adapters.simulated.block_cursor import SimulatedBlockCursor
from app.domain.errors import CursorNotSaved
from app.ports.block_cursor import BlockCursor
from app.ports.chain_blocks import BlockRef

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Real time: a file is read in a thread."""
    return "asyncio"


@pytest.fixture(params=["simulated", "files"])
def cursor(request: pytest.FixtureRequest, tmp_path: Path) -> BlockCursor:
    return SimulatedBlockCursor() if request.param == "simulated" else FileBlockCursor(tmp_path / "a" / "cursor.json")


async def test_a_fresh_cursor_knows_nothing(cursor: BlockCursor) -> None:
    assert isinstance(cursor, BlockCursor)
    assert await cursor.load() is None


async def test_a_cursor_remembers_the_last_place(cursor: BlockCursor) -> None:
    for number in (5, 6, 4):
        await cursor.save(BlockRef(number, f"0x{number}"))
    assert await cursor.load() == BlockRef(4, "0x4")


async def test_a_file_survives_the_process(tmp_path: Path) -> None:
    await FileBlockCursor(tmp_path / "cursor.json").save(BlockRef(5, "0x5"))
    assert await FileBlockCursor(tmp_path / "cursor.json").load() == BlockRef(5, "0x5")
    assert not (tmp_path / "cursor.json.new").exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"number": "x", "hash": 1}', b"\xff\xfe"])
async def test_a_torn_file_is_reported_and_counts_as_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    (tmp_path / "cursor.json").write_bytes(content)
    assert await FileBlockCursor(tmp_path / "cursor.json").load() is None
    assert "cursor.json" in caplog.text


async def test_a_place_that_cannot_be_kept_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CursorNotSaved, match=r"cursor\.json"):
        await FileBlockCursor(tmp_path / "file" / "cursor.json").save(BlockRef(1, "0x1"))


async def test_an_interrupted_save_leaves_the_old_place(tmp_path: Path) -> None:
    cursor = FileBlockCursor(tmp_path / "cursor.json")
    await cursor.save(BlockRef(1, "0x1"))
    (tmp_path / "cursor.json.new").write_text('{"number": 2')
    assert await cursor.load() == BlockRef(1, "0x1")


async def test_a_disk_that_hangs_is_named_and_holds_up_nothing_else(tmp_path: Path) -> None:
    # A pipe that nothing writes into answers as a dying disk does: never.
    os.mkfifo(tmp_path / "cursor.json.new")
    os.mkfifo(tmp_path / "cursor.json")
    with pytest.raises(CursorNotSaved, match=r"not written within 0\.05 s"):
        await FileBlockCursor(tmp_path / "cursor.json", timeout_s=0.05).save(BlockRef(1, "0x1"))
    assert await FileBlockCursor(tmp_path / "cursor.json", timeout_s=0.05).load() is None
