"""dependency-injector, imported without PyYAML and pydantic, and without its own wiring of modules.

It imports the two wherever they are installed, for kinds of configuration that powerd does not use: 8 MiB, and a
tenth of the daemon's start. Therefore all code imports it from here.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

from app.adapters.libraries.left_out import ABSENT, StandIns, left_out, unused


class _NoSettings(ModuleType):
    """Replaces pydantic, of which dependency-injector reads only the major version."""

    VERSION = "2"


STAND_INS: StandIns = {
    **unused("dependency_injector.wiring", "configparser"),
    "pydantic": _NoSettings("pydantic"),
    "pydantic_settings": ABSENT,
    "yaml": ABSENT,
}

with left_out("dependency_injector.containers", STAND_INS):
    from dependency_injector import containers, providers


class LazyModule:
    """Stands for a module of this package, which is imported when the first of its makers is called.

    ``LazyModule("zos").zbus_chain`` is a function that calls ``zbus_chain`` of zos.py. A daemon makes the adapters
    of one profile, and must not import those of the others.
    """

    def __init__(self, module: str) -> None:
        self._module = f"{__package__}.{module}"

    def __getattr__(self, maker: str) -> Callable[..., Any]:
        """A function. A maker that the module does not have shows at its call, and in mypy."""

        def make(*needs: Any, **options: Any) -> Any:
            return getattr(import_module(self._module), maker)(*needs, **options)

        return make


__all__ = ["LazyModule", "containers", "providers"]
