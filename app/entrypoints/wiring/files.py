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
    """What the boot-loop guard remembers, on a disk."""
    return FileBootMemory(boots_file(settings))


def status_socket(settings: Settings) -> StatusSocket:
    return StatusSocket(status_paths(settings))


def boots_file(settings: Settings) -> Path:
    """Where it is, whatever the profile."""
    usual = ZOS_BOOTS_FILE if profile_of(settings) == "zos" else BOOTS_FILE
    return Path(settings.boot_memory.file) if settings.boot_memory.file else usual


def file_wake_memory(settings: Settings) -> FileWakeMemory:
    """What proves a wake, beside what the boot-loop guard remembers."""
    boots = boots_file(settings)
    return FileWakeMemory(boots.with_name(f"{boots.stem}-wakes.json"))


def woken_nodes(settings: Settings) -> WokenNodes:
    """Which other nodes this one woke, beside that."""
    boots = boots_file(settings)
    return WokenNodes(boots.with_name(f"{boots.stem}-woken.json"))


def file_window_memory(settings: Settings) -> FileWindowMemory:
    """The last Down, beside what the boot-loop guard remembers."""
    boots = boots_file(settings)
    return FileWindowMemory(boots.with_name(f"{boots.stem}-window.json"))
