"""The event stream."""

from __future__ import annotations

from app.adapters.redis.power_events import RedisPowerEvents
from app.adapters.redis.power_events_out import RedisPowerEventsOut
from app.entrypoints.settings.profiles import broker_url
from app.entrypoints.settings.schema import Settings


def redis_power_events(settings: Settings) -> RedisPowerEvents:
    events = settings.events
    return RedisPowerEvents(
        broker_url(settings),
        stream=events.stream,
        group=events.group,
        consumer=events.consumer,
        dead_letter_stream=events.dead_letter_stream,
        batch=events.batch,
    )


def redis_power_events_out(settings: Settings) -> RedisPowerEventsOut:
    return RedisPowerEventsOut(broker_url(settings), stream=settings.events.stream)
