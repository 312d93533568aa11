"""The cards that QEMU has: those that Linux can have woken, and those that only say so."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from tests.machines.scenes import at, calls_it
from tests.machines.stand import SLEEP_S, NotSo, Stand

WAKEABLE = ("vmxnet3", "i82559er")
REFUSING: Mapping[str, str] = {
    "e1000": r"refuses to switch it on",
    "e1000e": r"does not support|can't be woken",
}
"""What powerd says of each."""

LOOKS_S = 60.0
"""Three looks at the chain."""


def wakeable(card: str) -> Callable[[Stand], Awaitable[None]]:
    """The machine sleeps with its card armed, and another node calls it."""

    async def scene(stand: Stand) -> None:
        async with at(stand, card=card) as machine:
            await stand.boot(machine)
            driver = await stand.holds(machine, "readlink /sys/class/net/br0/brif/*/../device/driver | sed 's#.*/##'")
            stand.tells(f"driver {driver}")
            await stand.sleeps(machine)
            await machine.unplug()
            await calls_it(stand)

    return scene


def refusing(card: str) -> Callable[[Stand], Awaitable[None]]:
    """A machine that no packet would wake stays up, and its farmer sees why."""

    async def scene(stand: Stand) -> None:
        async with at(stand, card=card) as machine:
            await stand.boot(machine)
            await stand.farm.farmer("down", "1", "--yes")
            found = await machine.says(rf"fault key=power-management.*(?:{REFUSING[card]})", within_s=SLEEP_S)
            stand.tells(found[0].partition("message=")[2])
            await asyncio.sleep(LOOKS_S)
            await stand.units_run(machine)
            state = (await stand.farm.power()).state.power.value
            if state != "Up":
                raise NotSo(f"it stays up, and the chain says {state}")

    return scene


CARD_SCENES: Mapping[str, Callable[[Stand], Awaitable[None]]] = {
    **{f"card-{card}": wakeable(card) for card in WAKEABLE},
    **{f"card-{card}": refusing(card) for card in REFUSING},
}
