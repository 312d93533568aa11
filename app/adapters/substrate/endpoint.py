"""The health of one endpoint: what is wrong with it, and when it is asked again.

Three kinds of trouble are counted separately. An endpoint that answers questions may lose extrinsics, and
one that takes extrinsics may be blocks behind. A trouble ends only with a success of its own kind.
"""

from __future__ import annotations

import enum
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

PAUSE_S_MIN = 1.0
PAUSE_S_MAX = 60.0
LAGGING_PAUSE_S = 60.0
FORGIVEN_S = 1800.0
"""After this time without another failure the trouble ends, since nothing of its kind was tried there."""


class Kind(enum.Enum):
    """The kinds of trouble; the values are their texts."""

    ANSWERS = "does not answer as it should"
    HEAD = "is behind the chain"
    WRITES = "does not bring extrinsics onto the chain"


@dataclass(slots=True)
class Trouble:
    """Since when, how often, and the last reason. Times are monotonic seconds."""

    since_s: float
    last_s: float
    count: int
    reason: str


@dataclass(slots=True)
class Endpoint:
    """One endpoint of the settings. ``name`` stands for it in messages."""

    url: str
    name: str
    pause_until_s: float = 0.0
    troubles: dict[Kind, Trouble] = field(default_factory=dict)

    def failed(self, kind: Kind, reason: str, pause_s: float = 0.0) -> None:
        """Note a failure, and prefer others for ``pause_s`` (0: longer with every failure)."""
        now_s = time.monotonic()
        known = self.troubles.get(kind)
        count = known.count + 1 if known else 1
        self.troubles[kind] = Trouble(known.since_s if known else now_s, now_s, count, reason)
        pause_s = pause_s or min(PAUSE_S_MIN * 2 ** min(count - 1, 16), PAUSE_S_MAX)
        self.pause_until_s = max(self.pause_until_s, now_s + pause_s)

    def succeeded(self, kind: Kind) -> None:
        self.troubles.pop(kind, None)

    def out(self, now_s: float) -> bool:
        for kind in [kind for kind, trouble in self.troubles.items() if now_s - trouble.last_s > FORGIVEN_S]:
            del self.troubles[kind]
        return bool(self.troubles)

    def rank(self, now_s: float) -> tuple[float, int]:
        """The sort key: endpoints that are not paused come first, and then those with fewer failures."""
        self.out(now_s)
        return max(self.pause_until_s, now_s), sum(trouble.count for trouble in self.troubles.values())


def name_of(url: str) -> str:
    """Scheme, host and port of the URL. User, password, path and query may be secrets."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
