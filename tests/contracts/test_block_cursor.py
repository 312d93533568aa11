"""What every `BlockCursor` does, in memory and in files alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.adapters.files.block_cursor import CursorNotSaved, FileBlockCursor
from app.adapters.simulated.block_cursor import SimulatedBlockCursor
from app.ports.block_cursor import BlockCursor
from app.ports.chain_blocks import BlockRef


@pytest.fixture(params=["simulated", "files"])
def cursor(request: pytest.FixtureRequest, tmp_path: Path) -> BlockCursor:
    return SimulatedBlockCursor() if request.param == "simulated" else FileBlockCursor(tmp_path / "a" / "cursor.json")


def test_a_fresh_cursor_knows_nothing(cursor: BlockCursor) -> None:
    assert isinstance(cursor, BlockCursor)
    assert cursor.load() is None


def test_a_cursor_remembers_the_last_place(cursor: BlockCursor) -> None:
    for number in (5, 6, 4):
        cursor.save(BlockRef(number, f"0x{number}"))
    assert cursor.load() == BlockRef(4, "0x4")


def test_a_file_survives_the_process(tmp_path: Path) -> None:
    FileBlockCursor(tmp_path / "cursor.json").save(BlockRef(5, "0x5"))
    assert FileBlockCursor(tmp_path / "cursor.json").load() == BlockRef(5, "0x5")
    assert [path.name for path in tmp_path.iterdir()] == ["cursor.json"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"number": "x", "hash": 1}', b"\xff\xfe"])
def test_a_torn_file_is_reported_and_counts_as_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    (tmp_path / "cursor.json").write_bytes(content)
    assert FileBlockCursor(tmp_path / "cursor.json").load() is None
    assert "cursor.json" in caplog.text


def test_a_place_that_cannot_be_kept_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CursorNotSaved, match=r"cursor\.json"):
        FileBlockCursor(tmp_path / "file" / "cursor.json").save(BlockRef(1, "0x1"))


def test_an_interrupted_save_leaves_the_old_place(tmp_path: Path) -> None:
    cursor = FileBlockCursor(tmp_path / "cursor.json")
    cursor.save(BlockRef(1, "0x1"))
    (tmp_path / "cursor.json.new").write_text('{"number": 2')
    assert cursor.load() == BlockRef(1, "0x1")
