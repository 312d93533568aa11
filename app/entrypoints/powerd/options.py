"""The options of the command line, and what they lead to: settings, and the composition root."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.entrypoints.settings.schema import Settings
    from app.entrypoints.wiring.container import Container


class Options:
    """The options of the command line, before the settings are read."""

    def __init__(self, config: Path | None, overrides: dict[str, object]) -> None:
        self._config = config
        self._overrides = overrides
        self.is_daemon = False
        """Whether the command runs until it is stopped."""

    def settings(self, given: Mapping[str, object] | None = None) -> Settings:
        """File, environment and command line, in rising order; `SettingsError` names what is wrong.

        ``given`` has the settings from a command's own options.
        """
        from app.entrypoints.settings.loading import load_settings

        return load_settings(self._config, os.environ, {**self._overrides, **(given or {})})

    def settings_with_origins(self) -> tuple[Settings, Mapping[str, str]]:
        """As `settings`, with the origin of each given value by the path of its key."""
        from app.entrypoints.settings.loading import load_with_origins

        return load_with_origins(self._config, os.environ, self._overrides)

    def container(self, given: Mapping[str, object] | None = None) -> Container:
        """The composition root for these settings; the log is set up by them."""
        return container_for(self.settings(given))


def container_for(settings: Settings) -> Container:
    """The composition root; sets up the log, too."""
    from app.adapters.telemetry.log import setup_logging
    from app.entrypoints.wiring.container import Container
    from app.entrypoints.wiring.injection import providers

    setup_logging(settings.log.level, settings.log.format)
    return Container(settings=providers.Object(settings))
