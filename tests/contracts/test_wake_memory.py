"""What every `WakeMemory` does, in memory and in files alike; and what only files have to survive."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.adapters.files.wake_memory import FileWakeMemory
from app.adapters.files.woken_nodes import WokenNodes
from app.adapters.simulated.wake_memory import SimulatedWakeMemory
from app.domain.errors import WakeMemoryUnusable
from app.domain.model import NodeId
from app.domain.rules.proved_wake import Departure, Trial, WakeRecord
from app.ports.wake_memory import WakeMemory

pytestmark = pytest.mark.anyio

RECORDS = [
    WakeRecord(Departure("boot-1", 1_700_000_000.5)),
    WakeRecord(Departure("boot-1", 1_700_000_000.5, 1_700_082_800.0), 1_600_000_000.0),
    WakeRecord(None, 1_600_000_000.0),
    WakeRecord(),
]
TRIAL = Trial("boot-1", 4000.5)


@pytest.fixture
def anyio_backend() -> str:
    """Real time: a file is read in a thread."""
    return "asyncio"


@pytest.fixture(params=["simulated", "files"])
def memory(request: pytest.FixtureRequest, tmp_path: Path) -> WakeMemory:
    return SimulatedWakeMemory() if request.param == "simulated" else FileWakeMemory(tmp_path / "a" / "wakes.json")


async def test_a_fresh_memory_knows_nothing(memory: WakeMemory) -> None:
    assert isinstance(memory, WakeMemory)
    assert await memory.load() == WakeRecord()
    assert await memory.trial() is None
    await memory.end_trial()


async def test_it_remembers_the_last_record_and_the_trial(memory: WakeMemory) -> None:
    for record in RECORDS:
        await memory.save(record)
        assert await memory.load() == record
    await memory.allow(TRIAL)
    assert await memory.trial() == TRIAL
    await memory.end_trial()
    assert await memory.trial() is None
    assert await memory.load() == RECORDS[-1]


async def test_what_cannot_be_kept_or_read_is_unusable(tmp_path: Path) -> None:
    simulated = SimulatedWakeMemory()
    simulated.unreadable = simulated.unwritable = True
    (tmp_path / "file").write_text("")
    for memory in (simulated, FileWakeMemory(tmp_path / "file" / "wakes.json")):
        for question in (memory.load, memory.trial, memory.end_trial):
            with pytest.raises(WakeMemoryUnusable):
                await question()
        with pytest.raises(WakeMemoryUnusable):
            await memory.save(RECORDS[0])
        with pytest.raises(WakeMemoryUnusable):
            await memory.allow(TRIAL)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"departure": null, "proved_at_s": true}',
        '{"departure": null, "proved_at_s": -1}',
        '{"departure": {"boot_id": 7, "at_s": 1, "alarm_at_s": null}, "proved_at_s": null}',
        '{"departure": {"boot_id": "a", "at_s": "soon", "alarm_at_s": null}, "proved_at_s": null}',
        '{"departure": {"boot_id": "a", "at_s": 1, "alarm_at_s": Infinity}, "proved_at_s": null}',
    ],
)
async def test_a_damaged_record_counts_as_none_and_is_logged(
    tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "wakes.json").write_text(content)
    assert await FileWakeMemory(tmp_path / "wakes.json").load() == WakeRecord()
    assert "is damaged" in caplog.text


async def test_a_trial_can_be_read_by_the_daemon_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        await FileWakeMemory(tmp_path / "wakes.json").allow(TRIAL)
    finally:
        os.umask(before)
    assert (tmp_path / "wakes-trial.json").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("content", ["{", "[]x", '{"two": 1}', '{"2": "soon"}', '{"2": Infinity}'])
async def test_the_nodes_that_were_woken_are_remembered_and_a_damaged_file_counts_as_none(
    tmp_path: Path, content: str
) -> None:
    woken = WokenNodes(tmp_path / "woken.json")
    assert await woken.load() == {}
    await woken.remember(NodeId(10), 5.0)
    await woken.remember(NodeId(2), 6.5)
    await woken.remember(NodeId(10), 7.0)
    assert await woken.load() == {2: 6.5, 10: 7.0}
    (tmp_path / "woken.json").write_text(content)
    assert await woken.load() == {}
