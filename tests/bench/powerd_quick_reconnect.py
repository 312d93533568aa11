"""``powerd`` that opens its dropped Redis connections again after 10 ms instead of 0.2 s, for the soak.

Otherwise ten thousand reconnections would take an hour of waiting. Only the backoff is different.
"""

from __future__ import annotations

from dataclasses import replace

from app.domain.backoff import Backoff
from app.domain.services.events import event_reader
from app.entrypoints.powerd.cli import main

if __name__ == "__main__":
    event_reader.READING = replace(event_reader.READING, backoff=Backoff(0.01, 30.0))
    main()
