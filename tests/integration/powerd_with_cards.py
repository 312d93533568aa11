"""``powerd`` on a machine whose network cards are those of a file: ``python -m … CARDS.json powerd's arguments``.

No test machine has a card that can be woken. The kernel is replaced right behind pyroute2, as in the
contract tests, and reads the file anew at every question: a test changes it while the daemon runs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from app.entrypoints.cli import main
from tests.contracts.kernel_double import Card, Kernel


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
        self._read()
        try:
            return super()._ioctl(_socket, _request, request)
        finally:
            write_cards(self._path, *self.cards.values())

    def _read(self) -> None:
        self.cards = {each["name"]: read_card(each) for each in json.loads(self._path.read_text())}


def write_cards(path: Path, *cards: Card) -> None:
    """These are the machine's cards now."""
    fields = [{**asdict(card), "password": card.password.hex()} for card in cards]
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(fields))
    beside.replace(path)


def read_card(fields: dict[str, Any]) -> Card:
    """A card as the file has it."""
    return Card(**{**fields, "password": bytes.fromhex(fields["password"])})


if __name__ == "__main__":
    kernel = FileKernel(Path(sys.argv.pop(1)))
    kernel.install(SimpleNamespace(patch=lambda name, new: mock.patch(name, new).start()))  # type: ignore[arg-type]
    main()
