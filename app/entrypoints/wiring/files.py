"""Small files that are kept over restarts and boots."""

from __future__ import annotations

from pathlib import Path

from app.adapters.files.boot_memory import FileBootMemory
from app.adapters.files.wake_memory import FileWakeMemory
from app.adapters.files.window_memory import FileWindowMemory
from app.adapters.files.woken_nodes import WokenNodes
from app.adapters.status_socket.server import StatusSocket
from app.entrypoints.settings.profiles import profile_of, status_paths
from app.entrypoints.settings.schema import Settings

BOOTS_FILE = Path("/var/lib/powerd/boots.json")
ZOS_BOOTS_FILE = Path("/var/cache/powerd/boots.json")


def file_boot_memory(settings: Settings) -> FileBootMemory:
    return FileBootMemory(boots_file(settings))


def status_socket(settings: Settings) -> StatusSocket:
    return StatusSocket(status_paths(settings))


def boots_file(settings: Settings) -> Path:
    usual = ZOS_BOOTS_FILE if profile_of(settings) == "zos" else BOOTS_FILE
    return Path(settings.boot_memory.file) if settings.boot_memory.file else usual


def file_wake_memory(settings: Settings) -> FileWakeMemory:
    return FileWakeMemory(_beside_boots(settings, "wakes"))


def file_window_memory(settings: Settings) -> FileWindowMemory:
    return FileWindowMemory(_beside_boots(settings, "window"))


def woken_nodes(settings: Settings) -> WokenNodes:
    return WokenNodes(_beside_boots(settings, "woken"))


def _beside_boots(settings: Settings, what: str) -> Path:
    boots = boots_file(settings)
    return boots.with_name(f"{boots.stem}-{what}.json")
