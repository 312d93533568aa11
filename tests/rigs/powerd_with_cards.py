"""``powerd`` on a machine whose network cards are those of a file: ``python -m … CARDS.json powerd's arguments``.

No test machine has a card that can be woken. So this rig replaces the kernel right behind pyroute2, as in the
contract tests. It reads the file again for every question, so that a test can change it while the daemon runs.
"""

from __future__ import annotations

import fcntl
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from app.entrypoints.powerd.cli import main
from tests.rigs.fake_kernel import Card, Kernel


class FileKernel(Kernel):
    """A kernel whose cards are in a file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    @contextmanager
    def _netlink(self) -> Iterator[Any]:
        self._read()
        with super()._netlink() as opened:
            yield opened

    def _ioctl(self, _socket: object, _request: int, request: Any) -> int:
        with locked(self._path):
            self._read()
            result = super()._ioctl(_socket, _request, request)
            _write(self._path, *self.cards.values())
        return result

    def _read(self) -> None:
        self.cards = {each["name"]: read_card(each) for each in json.loads(self._path.read_text())}


def write_cards(path: Path, *cards: Card) -> None:
    """Write the machine's cards to the file."""
    with locked(path):
        _write(path, *cards)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """A lock: test and daemon both change the file."""
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write(path: Path, *cards: Card) -> None:
    fields = [{**asdict(card), "password": card.password.hex()} for card in cards]
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(fields))
    beside.replace(path)


def read_card(fields: dict[str, Any]) -> Card:
    """A card as the file has it."""
    return Card(**{**fields, "password": bytes.fromhex(fields["password"])})


if __name__ == "__main__":
    kernel = FileKernel(Path(sys.argv.pop(1)))
    kernel.install(SimpleNamespace(patch=lambda name, new: mock.patch(name, new).start()))  # type: ignore[arg-type]  # all it asks of pytest-mock
    main()
