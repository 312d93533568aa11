"""dependency-injector, imported without PyYAML and pydantic.

It imports both wherever they are installed, for kinds of configuration that powerd does not use: 8 MiB, and a
tenth of the daemon's start. Therefore all code imports it from here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any


class _NoSettings(ModuleType):
    """Replaces pydantic, of which dependency-injector reads only the major version."""

    VERSION = "2"


ABSENT = None
"""As a module, it makes the import fail as if the module were not installed."""
STAND_INS: Mapping[str, ModuleType | None] = {
    "pydantic": _NoSettings("pydantic"),
    "pydantic_settings": ABSENT,
    "yaml": ABSENT,
}


@contextmanager
def _without_them() -> Iterator[None]:
    """Only while the library is imported: a later import of these modules gets the real ones."""
    modules: dict[str, Any] = sys.modules  # the import system knows None, too
    missing = {name: stand_in for name, stand_in in STAND_INS.items() if name not in modules}
    modules.update(missing)
    try:
        yield
    finally:
        for name in missing:
            del modules[name]


with _without_them():
    from dependency_injector import containers, providers


class LateRoom:
    """Stands for a module of this package, which is imported when the first of its makers is called.

    ``LateRoom("zos").zbus_chain`` is a function that calls ``zbus_chain`` of zos.py. A daemon makes the adapters
    of one profile, and must not import those of the others.
    """

    def __init__(self, room: str) -> None:
        self._module = f"{__package__}.{room}"

    def __getattr__(self, maker: str) -> Callable[..., Any]:
        """A function; whether the module has that maker is seen when it is called, and before by mypy."""

        def make(*needs: Any, **options: Any) -> Any:
            return getattr(import_module(self._module), maker)(*needs, **options)

        return make


__all__ = ["LateRoom", "containers", "providers"]
