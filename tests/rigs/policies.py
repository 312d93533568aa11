"""The policies of the default settings."""

from __future__ import annotations

from app.entrypoints.settings.schema import Settings
from app.entrypoints.wiring.policies import policies

POLICIES = policies(Settings(profile="systemd"))
