"""``powerd`` that opens its dropped Redis connections again after 10 ms instead of 0.2 s, for the soak.

Ten thousand reconnections would take an hour of waiting otherwise; the backoff is all that is different.
"""

from __future__ import annotations

from app.domain.backoff import Backoff
from app.entrypoints.powerd.cli import main
from app.entrypoints.wiring import node_services

if __name__ == "__main__":
    node_services.READ_AGAIN = Backoff(0.01, 30.0)
    main()
