"""The daemon's events as a stream of zbus events: channel ``power.power@0.0.1.DomainEvents``."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Callable, Mapping

from app.adapters.codecs.go_types import NANOSECONDS, encode
from app.adapters.redis.connection import Connection, all_of
from app.adapters.zbus.power_object import DOMAIN_EVENT, MODULE, OBJECT
from app.domain.backoff import Backoff, Jitter
from app.domain.errors import EventsUnavailable
from app.domain.events import DomainEvent
from app.domain.measurements import Measurement
from app.ports.clock import Clock

EVENT = "DomainEvents"
CHANNEL = f"{MODULE}.{OBJECT}.{EVENT}"
KEPT_MAX = 1000
ANSWER_S = 5.0
RETRY = Backoff(1.0, 30.0)
WARNINGS_MAX = 20

log = logging.getLogger(__name__)

Describe = Callable[[DomainEvent], tuple[str, Mapping[str, object]]]
"""Returns the sentence for an event, and its facts."""


class ZbusDomainEvents:
    """`Telemetry` that publishes. No caller waits for it; while Redis is away, the oldest events are dropped."""

    def __init__(self, url: str, clock: Clock, describe: Describe, jitter: Jitter) -> None:
        self._connection = Connection(url, answer_s=ANSWER_S, errors_pass=False)
        self._clock = clock
        self._describe = describe
        self._jitter = jitter
        self._warned: set[str] = set()
        self._waiting: deque[bytes] = deque(maxlen=KEPT_MAX)
        self._news = asyncio.Event()

    def record(self, event: DomainEvent) -> None:
        """Queue the event; `run` publishes it."""
        message, facts = self._describe(event)
        value = {
            "Time": round(self._clock.now() * NANOSECONDS),
            "Kind": type(event).__name__,
            "Message": message,
            "Facts": {name: fact if isinstance(fact, str) else json.dumps(fact) for name, fact in facts.items()},
        }
        self._waiting.append(encode(DOMAIN_EVENT, value))
        self._news.set()

    def measure(self, measurement: Measurement) -> None:
        """Do nothing: only events are published."""

    async def run(self) -> None:
        failures = 0
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self._publish()
                failures = 0
            except EventsUnavailable as error:
                failures += 1
                self._warn_once(str(error))
                await self._clock.sleep(RETRY.delay_s(failures, self._jitter))
                self._news.set()

    async def close(self) -> None:
        await self._connection.close()

    def _warn_once(self, what: str) -> None:
        """Log each reason once. This is no event, since an event would be published too."""
        if what not in self._warned and len(self._warned) < WARNINGS_MAX:
            self._warned.add(what)
            log.info("events are not published over zbus: %s", what)

    async def _publish(self) -> None:
        batch = list(self._waiting)
        if batch:
            async with self._connection.use() as redis:
                pipeline = redis.pipeline(transaction=False)
                for message in batch:
                    pipeline.publish(CHANNEL, message)
                await all_of(pipeline)
            for message in batch:
                if self._waiting and self._waiting[0] is message:
                    self._waiting.popleft()
