"""Small files that are kept over restarts and boots."""

from __future__ import annotations

from pathlib import Path

from app.adapters.files.memory import FileMemory
from app.adapters.status_socket.server import StatusSocket
from app.domain.blocks import BlockRef
from app.domain.model import NodeId
from app.domain.rules.boot_loop import BootRecord
from app.domain.rules.paid import DownWindow
from app.domain.rules.proved_wake import Trial, WakeRecord
from app.entrypoints.settings.profiles import profile_of, status_paths
from app.entrypoints.settings.schema import Settings

BOOTS_FILE = Path("/var/lib/powerd/boots.json")
ZOS_BOOTS_FILE = Path("/var/cache/powerd/boots.json")


def status_socket(settings: Settings) -> StatusSocket:
    return StatusSocket(status_paths(settings))


def boots_file(settings: Settings) -> Path:
    usual = ZOS_BOOTS_FILE if profile_of(settings) == "zos" else BOOTS_FILE
    return Path(settings.boot_memory.file) if settings.boot_memory.file else usual


def trial_file(settings: Settings) -> Path:
    return _beside_boots(settings, "wakes-trial")


def boot_memory(settings: Settings) -> FileMemory[BootRecord]:
    return FileMemory(boots_file(settings), BootRecord, "the record of boots")


def window_memory(settings: Settings) -> FileMemory[DownWindow]:
    return FileMemory(_beside_boots(settings, "window"), DownWindow, "the record of the last Down")


def wake_memory(settings: Settings) -> FileMemory[WakeRecord]:
    return FileMemory(_beside_boots(settings, "wakes"), WakeRecord, "the record of wakes")


def trial_memory(settings: Settings) -> FileMemory[Trial]:
    return FileMemory(trial_file(settings), Trial, "the allowed trial")


def woken_nodes(settings: Settings) -> FileMemory[dict[NodeId, float]]:
    """The nodes that this one was seen to wake, and when last (Unix seconds)."""
    return FileMemory(_beside_boots(settings, "woken"), dict[NodeId, float], "the record of woken nodes")


def block_cursor(settings: Settings) -> FileMemory[BlockRef]:
    return FileMemory(Path(settings.follower.cursor_file), BlockRef, "the cursor", "follower.cursor_file")


def _beside_boots(settings: Settings, what: str) -> Path:
    boots = boots_file(settings)
    return boots.with_name(f"{boots.stem}-{what}.json")
