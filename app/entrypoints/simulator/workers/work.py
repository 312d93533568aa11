"""Work for many processes: any worker can do it, with the same result."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import app

Work = Callable[[bytes], bytes]
"""A function of a module, so that another process finds it by its name."""

TRIES_MAX = 3
"""After a worker died, its run is done again elsewhere, at most twice: the run itself may kill its worker."""


@dataclass(frozen=True, slots=True)
class Task:
    """One run: ``name`` for people, ``plan`` for the worker."""

    key: Any
    name: str
    plan: bytes


@dataclass(frozen=True, slots=True)
class Done:
    """The worker's answer to a task."""

    task: Task
    answer: bytes


@dataclass(frozen=True, slots=True)
class Failed:
    """A task that no worker finished, and why."""

    task: Task
    reason: str


class Workers(Protocol):
    """Many processes, here or elsewhere."""

    def each(self, tasks: Iterator[Task]) -> Iterator[Done | Failed]:
        """The result of each task, in the order in which they finish; a task is drawn when there is room for it."""
        ...


@cache
def code_digest() -> str:
    """The digest of this program's own source: a worker with another one can give other results."""
    root = Path(app.__path__[0])
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
