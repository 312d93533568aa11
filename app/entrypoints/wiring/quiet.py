"""Commands that end with the error of the only endpoint do not log it as well."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.entrypoints.settings.schema import Settings


def quiet_endpoints(settings: Settings) -> None:
    """With several endpoints the log says which of them failed."""
    if len(settings.chain.urls) == 1 and settings.log.level != "debug":
        logging.getLogger("app.adapters.substrate.endpoints").setLevel(logging.ERROR)
