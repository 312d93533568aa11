"""What every `Holds` and every `BlockCursor` does, in memory and in files alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.adapters.files.block_cursor import CursorNotSaved, FileBlockCursor
from app.adapters.files.holds import BadHolder, FileHolds
from app.adapters.linux.clock import SystemClock
from app.adapters.simulated.block_cursor import SimulatedBlockCursor
from app.adapters.simulated.holds import SimulatedHolds
from app.domain.errors import HoldsUnreadable
from app.domain.model import Hold
from app.ports.block_cursor import BlockCursor
from app.ports.chain_blocks import BlockRef
from app.ports.holds import Holds

pytestmark = pytest.mark.anyio

NOW_S = SystemClock().now()
FOREVER = Hold("operator", "copies disks", None)
LATER = Hold("backup", "nightly", NOW_S + 3600)
OVER = Hold("old", "yesterday", NOW_S - 1)


@pytest.fixture(params=["simulated", "files"])
def holds(request: pytest.FixtureRequest, tmp_path: Path) -> SimulatedHolds | FileHolds:
    clock = SystemClock()
    return SimulatedHolds(clock) if request.param == "simulated" else FileHolds(tmp_path / "holds", clock)


@pytest.fixture(params=["simulated", "files"])
def cursor(request: pytest.FixtureRequest, tmp_path: Path) -> BlockCursor:
    return SimulatedBlockCursor() if request.param == "simulated" else FileBlockCursor(tmp_path / "a" / "cursor.json")


async def test_without_holds_there_are_none(holds: FileHolds) -> None:
    assert isinstance(holds, Holds)
    assert list(await holds.active()) == []


async def test_holds_are_in_force_until_they_expire_or_are_lifted(holds: FileHolds) -> None:
    for hold in (FOREVER, LATER, OVER):
        holds.place(hold)
    assert sorted(hold.holder for hold in await holds.active()) == ["backup", "operator"]
    assert FOREVER in await holds.active()
    holds.lift("operator")
    holds.lift("nobody")
    assert list(await holds.active()) == [LATER]


async def test_a_holder_has_one_hold(holds: FileHolds) -> None:
    holds.place(LATER)
    holds.place(Hold("backup", "longer", None))
    assert list(await holds.active()) == [Hold("backup", "longer", None)]


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"reason": 1, "expires_at_s": "soon"}'])
async def test_a_file_that_is_no_hold_is_doubt_and_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "torn.json").write_text(content)
    with pytest.raises(HoldsUnreadable, match="torn"):
        await FileHolds(tmp_path, SystemClock()).active()


async def test_a_directory_that_is_none_is_doubt_or_empty_but_no_crash(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    holds = FileHolds(tmp_path / "file", SystemClock())
    assert list(await holds.active()) == []


@pytest.mark.parametrize("holder", ["", "../etc/passwd", ".hidden", "a/b"])
def test_a_holder_that_cannot_be_a_file_is_refused(tmp_path: Path, holder: str) -> None:
    with pytest.raises(BadHolder, match="can't name a hold"):
        FileHolds(tmp_path, SystemClock()).place(Hold(holder, "", None))


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
