"""What every `Memory` does, simulated and in a file alike; and what only a file has to survive."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from app.adapters.files.memory import FileMemory
from app.adapters.simulated.memory import SimulatedMemory
from app.domain.blocks import BlockRef
from app.domain.errors import MemoryUnusable
from app.domain.model import NodeId
from app.domain.rules.boot_loop import BootRecord
from app.domain.rules.paid import DownWindow
from app.domain.rules.proved_wake import Departure, Trial, WakeRecord
from app.ports.memory import Memory

pytestmark = pytest.mark.anyio

OPEN = DownWindow("boot-1", 1_700_000_006.0, 17, "0xab", sure=True, requested_at_s=1_700_000_060.25, up_block=19)
BOOT = BootRecord("boot-1", 1, 1_700_000_000.5)
WAKE = WakeRecord(Departure("boot-1", 1_700_000_000.5, 1_700_082_800.0), 1_600_000_000.0)
RECORDS: list[tuple[Any, Any]] = [
    (BootRecord, BOOT),
    (BootRecord, BootRecord("boot-2", 2, 1_700_000_060.25)),
    (DownWindow, DownWindow("boot-1", 1_700_000_000.5)),
    (DownWindow, OPEN),
    (WakeRecord, WakeRecord(Departure("boot-1", 1_700_000_000.5))),
    (WakeRecord, WAKE),
    (WakeRecord, WakeRecord(None, 1_600_000_000.0)),
    (WakeRecord, WakeRecord()),
    (Trial, Trial("boot-1", 4000.5)),
    (BlockRef, BlockRef(5, "0x5")),
    (dict[NodeId, float], {NodeId(2): 6.5, NodeId(10): 7.0}),
]


@pytest.fixture
def anyio_backend() -> str:
    """Real time: a file is read in a thread."""
    return "asyncio"


def memory_in(path: Path, kind: Any = BootRecord) -> FileMemory[Any]:
    return FileMemory(path, kind, "the record")


@pytest.mark.parametrize("adapter", ["simulated", "files"])
@pytest.mark.parametrize(("kind", "record"), RECORDS, ids=str)
async def test_it_remembers_the_record_until_it_is_cleared(
    tmp_path: Path, kind: Any, record: object, adapter: str
) -> None:
    simulated = adapter == "simulated"
    memory: Memory[Any] = SimulatedMemory[Any]() if simulated else memory_in(tmp_path / "a" / "it.json", kind)
    assert isinstance(memory, Memory)
    await memory.clear()
    assert await memory.load() is None
    for durably in (True, False):
        await memory.save(record, durably=durably)
        assert await memory.load() == record
    await memory.clear()
    assert await memory.load() is None


async def test_what_cannot_be_kept_or_read_is_unusable(tmp_path: Path) -> None:
    simulated = SimulatedMemory[BootRecord]()
    simulated.unreadable = simulated.unwritable = True
    (tmp_path / "file").write_text("")
    for memory in (simulated, memory_in(tmp_path / "file" / "it.json")):
        for question in (memory.load, memory.clear):
            with pytest.raises(MemoryUnusable):
                await question()
        with pytest.raises(MemoryUnusable):
            await memory.save(BOOT)


def test_a_file_survives_the_process(tmp_path: Path) -> None:
    asyncio.run(memory_in(tmp_path / "it.json").save(BOOT))
    assert asyncio.run(memory_in(tmp_path / "it.json").load()) == BOOT
    assert [path.name for path in tmp_path.iterdir()] == ["it.json"]


async def test_an_interrupted_save_leaves_the_old_record(tmp_path: Path) -> None:
    memory = memory_in(tmp_path / "it.json")
    await memory.save(BOOT)
    (tmp_path / "it.json.new").write_text('{"boot_id": "b')
    assert await memory.load() == BOOT


@pytest.mark.parametrize("record", [BOOT, OPEN], ids=["boots", "window"])
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"7", b"null", b"\xff\xfe", b"{}", b"[" * 100_000], ids=range(8))
async def test_a_torn_file_is_reported_and_counts_as_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, record: object, content: bytes
) -> None:
    (tmp_path / "it.json").write_bytes(content)
    memory = memory_in(tmp_path / "it.json", type(record))
    assert await memory.load() is None
    assert "it.json is damaged" in caplog.text
    await memory.save(record)
    assert await memory.load() == record


@pytest.mark.parametrize(
    ("record", "over"),
    [
        *((BOOT, over) for over in ({"boot_id": 7}, {"unwanted": "x"}, {"unwanted": -1}, {"unwanted": 1.5})),
        *((BOOT, {"awake_at_s": value}) for value in (float("nan"), float("inf"))),
        *((OPEN, over) for over in ({"boot_id": 7}, {"down_hash": None}, {"sure": 1}, {"was_up": "yes"})),
        *((OPEN, over) for over in ({"down_block": -1}, {"down_block": 1.5}, {"up_block": True})),
        *((OPEN, {"opened_at_s": value}) for value in ("soon", float("nan"), float("inf"))),
        (OPEN, {"requested_at_s": -1}),
        *((WAKE, {"proved_at_s": value}) for value in (True, -1)),
        *((WAKE, {"departure": {**asdict(WAKE)["departure"], **over}}) for over in ({"boot_id": 7}, {"at_s": "soon"})),
        (WAKE, {"departure": {**asdict(WAKE)["departure"], "alarm_at_s": float("inf")}}),
        (WAKE, {"departure": {**asdict(WAKE)["departure"], "at_s": -1}}),
    ],
    ids=str,
)
async def test_a_value_that_no_record_has_makes_the_file_count_as_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, record: Any, over: dict[str, object]
) -> None:
    (tmp_path / "it.json").write_text(json.dumps({**asdict(record), **over}))
    assert await memory_in(tmp_path / "it.json", type(record)).load() is None
    assert "it.json is damaged" in caplog.text


@pytest.mark.parametrize("content", ["{", "[]x", '{"two": 1}', '{"2": "soon"}', '{"2": Infinity}'])
async def test_a_damaged_list_of_nodes_counts_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "it.json").write_text(content)
    assert await memory_in(tmp_path / "it.json", dict[NodeId, float]).load() is None


async def test_a_file_that_cannot_be_used_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "it.json").mkdir()
    with pytest.raises(MemoryUnusable, match=r"it\.json: Is a directory; .*boot_memory\.file"):
        await memory_in(tmp_path / "it.json").load()


async def test_a_disk_that_hangs_is_left_alone(tmp_path: Path) -> None:
    pipe = tmp_path / "it.json"
    os.mkfifo(pipe)  # opening it for reading waits for a writer
    memory = FileMemory(pipe, BootRecord, "the record", timeout_s=0.05)
    with pytest.raises(MemoryUnusable, match="did not answer within 0"):
        await memory.load()
    pipe.open("w").close()  # lets the thread go
