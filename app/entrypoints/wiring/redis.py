"""The event stream."""

from __future__ import annotations

from app.adapters.redis.power_events import RedisPowerEvents
from app.adapters.redis.power_events_out import RedisPowerEventsOut
from app.entrypoints.settings.profiles import broker_url
from app.entrypoints.settings.schema import Settings
from app.entrypoints.wiring.by_name import by_name


def redis_power_events(settings: Settings) -> RedisPowerEvents:
    return by_name(RedisPowerEvents, settings.events, url=broker_url(settings))


def redis_power_events_out(settings: Settings) -> RedisPowerEventsOut:
    return by_name(RedisPowerEventsOut, settings.events, url=broker_url(settings))
