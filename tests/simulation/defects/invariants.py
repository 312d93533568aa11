"""Bugs that an invariant stops right before the act: the daemon ends, and the act does not happen."""

from __future__ import annotations

from typing import Any

from app.domain.services.node_services import NodeServices
from app.entrypoints.wiring.node_services import Ports
from tests.simulation.defects.defect import Defect, plant


def _arms_once(services: NodeServices, ports: Ports) -> None:
    shutdown: Any = services.shutdown

    async def nothing() -> None:
        """It was armed before Down, minutes ago."""

    plant(shutdown, "_arm", nothing)


def _takes_no_second_look(services: NodeServices, ports: Ports) -> None:
    """The look before Down counts for the order too."""
    shutdown: Any = services.shutdown
    still_wanted = shutdown._still_wanted

    async def looks_until_the_order() -> object:
        return shutdown._look_kept if shutdown._armed else await looks()

    async def looks() -> object:
        shutdown._look_kept = await still_wanted()
        return shutdown._look_kept

    plant(shutdown, "_still_wanted", looks_until_the_order)


INVARIANTS: dict[str, Defect] = {
    "arms once": Defect("the card is not armed again before the order", services=_arms_once),
    "takes no second look": Defect("nothing is asked again before the order", services=_takes_no_second_look),
}
