"""The function of wakeonlan that powerd uses.

It is imported without argparse, which its command line needs, and without typing_extensions, which marks as
deprecated what powerd does not use.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TypeVar

from app.adapters.libraries.left_out import left_out, unused

Function = TypeVar("Function")


class _NoMarks(ModuleType):
    """Replaces typing_extensions. Since Python 3.13 the mark comes from the module ``warnings``."""

    @staticmethod
    def deprecated(_: str) -> Callable[[Function], Function]:
        return lambda function: function


with left_out("wakeonlan", {**unused("argparse"), "typing_extensions": _NoMarks("typing_extensions")}):
    from wakeonlan import create_magic_packet

__all__ = ["create_magic_packet"]
