"""Both ends of the event stream, with the names of the default settings."""

from __future__ import annotations

from typing import Any

from app.adapters.redis.power_events import RedisPowerEvents
from app.adapters.redis.power_events_out import RedisPowerEventsOut
from app.entrypoints.settings.schema import Settings


def power_events(url: str, **options: Any) -> RedisPowerEvents:
    return Settings().events.build(RedisPowerEvents, url=url, **options)


def power_events_out(url: str) -> RedisPowerEventsOut:
    return Settings().events.build(RedisPowerEventsOut, url=url)
