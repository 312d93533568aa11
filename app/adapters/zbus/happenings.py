"""What happens in the daemon as a stream of zbus events: channel ``power.power@0.0.1.Happenings``."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping

from app.adapters.codecs.go_types import NANOSECONDS, encode
from app.adapters.redis.connection import Connection
from app.adapters.zbus.power_object import HAPPENING, MODULE, OBJECT
from app.domain.errors import EventsUnavailable
from app.domain.events import Happening
from app.ports.clock import Clock

EVENT = "Happenings"
CHANNEL = f"{MODULE}.{OBJECT}.{EVENT}"
KEPT_MAX = 1000
ANSWER_S = 5.0
RETRY_S = 1.0

Describe = Callable[[Happening], tuple[str, Mapping[str, object]]]
"""The sentence for a happening, and its facts."""


class ZbusHappenings:
    """`Telemetry` that publishes. Nobody waits for it: the oldest are dropped while Redis is away."""

    def __init__(self, url: str, clock: Clock, describe: Describe) -> None:
        self._connection = Connection(url, answer_s=ANSWER_S, errors_pass=False)
        self._clock = clock
        self._describe = describe
        self._waiting: deque[bytes] = deque(maxlen=KEPT_MAX)
        self._news = asyncio.Event()

    def happened(self, happening: Happening) -> None:
        """Take it down; `run` publishes it."""
        message, facts = self._describe(happening)
        value = {
            "Time": round(self._clock.now() * NANOSECONDS),
            "Kind": type(happening).__name__,
            "Message": message,
            "Facts": {name: fact if isinstance(fact, str) else json.dumps(fact) for name, fact in facts.items()},
        }
        self._waiting.append(encode(HAPPENING, value))
        self._news.set()

    async def run(self) -> None:
        """Publish until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self._publish()
            except EventsUnavailable:  # whoever reads events says so already
                await self._clock.sleep(RETRY_S)
                self._news.set()

    async def close(self) -> None:
        """Let go of the connection."""
        await self._connection.close()

    async def _publish(self) -> None:
        batch = list(self._waiting)
        if batch:
            async with self._connection.use() as redis:
                pipeline = redis.pipeline(transaction=False)
                for message in batch:
                    pipeline.publish(CHANNEL, message)
                await pipeline.execute()
            for message in batch:
                if self._waiting and self._waiting[0] is message:
                    self._waiting.popleft()
