"""Imports a library without parts that powerd never uses: they cost memory, and time at every start.

A stand-in takes the place of a part while the library is imported: a later import of that part gets the real one. A
part that is loaded already stays. A release of the library that can't do without a part is imported whole.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from threading import RLock
from types import ModuleType
from typing import Any

ABSENT = None
"""As a stand-in, it makes the import fail, as if the part were not installed."""

StandIns = Mapping[str, ModuleType | None]
"""By the name of the module whose place each takes."""

_one_at_a_time = RLock()
"""Libraries are imported in threads too, and what one does without is what another needs (xxhash)."""


class Unused:
    """The base of every class of a part that is left out."""

    def __init__(self, *_: object, **__: object) -> None:
        raise NotImplementedError(f"powerd imports its libraries without {type(self).__module__}")


class _Unused(ModuleType):
    def __getattr__(self, name: str) -> type[Unused]:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (Unused,), {"__module__": self.__name__})


def unused(*names: str) -> StandIns:
    """Stand-ins for these modules. Every name that a library imports from one is a class that can't be made."""
    return {name: _Unused(name) for name in names}


@contextmanager
def left_out(library: str, stand_ins: StandIns) -> Iterator[None]:
    """Import ``library`` without these parts. The body imports names from it.

    Other threads that import a library in this way wait, and must not import the parts in another way.
    """
    with _one_at_a_time:
        before = set(sys.modules)
        modules: dict[str, Any] = sys.modules  # the import system knows None, too
        modules.update((name, stand_in) for name, stand_in in stand_ins.items() if name not in before)
        try:
            try:
                import_module(library)
            except Exception:  # noqa: BLE001 - whatever an unknown release needs of a part; the body imports the rest
                package = library.partition(".")[0]
                for name in [
                    name for name in list(modules) if name not in before and name.partition(".")[0] == package
                ]:
                    del modules[name]
                _remove(stand_ins)
            yield
        finally:
            _remove(stand_ins)


def _remove(stand_ins: StandIns) -> None:
    for name, stand_in in stand_ins.items():
        if name in sys.modules and sys.modules[name] is stand_in:
            del sys.modules[name]
