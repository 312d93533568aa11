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
"""A run whose worker died is done again elsewhere twice: it may be the run that kills it."""


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
        """What came of each task, in the order in which they finish; tasks are drawn as there is room for them."""
        ...


@cache
def code_digest() -> str:
    """Of this program's own source: whose differs may give other results."""
    root = Path(app.__path__[0])
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
