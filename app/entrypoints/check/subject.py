"""The node that is checked: its settings, its adapters, and the looks that several checks share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING

import msgspec

from app.adapters.libraries.timeouts import timeout
from app.adapters.linux.clock import SystemClock
from app.domain.errors import ChainUnavailable, PowerdError
from app.domain.model import Head, HeadKind, Nic, Node, NodeIdentity, Unreadable
from app.entrypoints.check.once import Once
from app.entrypoints.check.origins import Origins
from app.entrypoints.settings.profiles import broker_url, kind_of
from app.entrypoints.settings.schema import Settings

if TYPE_CHECKING:
    from app.adapters.redis.inspection import RedisInspection
    from app.adapters.substrate.endpoint_look import EndpointLook
    from app.adapters.substrate.farm_view import FarmView
    from app.adapters.substrate.farmer_account import Account
    from app.entrypoints.wiring.container import Container

ANSWER_SHARE = 0.3
"""The share of the whole time that one answer may take, so that the next endpoint can still be asked."""
CLOSING_S = 1.0
OTHERS = ("app.entrypoints.wiring.container",)
_CHAIN = (*OTHERS, "app.adapters.substrate.runtime")
MODULES: Mapping[str, Sequence[str]] = {
    **dict.fromkeys(("settings", "software", "key"), ()),
    **dict.fromkeys(("account", "node", "readers", "address", "wakers"), _CHAIN),
    **dict.fromkeys(("broker", "rights", "stream"), (*OTHERS, "redis.asyncio")),
    **dict.fromkeys(("card", "armed", "wake-modes"), (*OTHERS, "pyroute2")),
}
"""What each check imports late, since no daemon's start should wait for it."""


class Subject:
    """Nothing is connected before a check asks for it. Every shared look raises a `PowerdError`."""

    def __init__(self, settings: Settings, origins: Origins, time_s: float) -> None:
        self.given = settings
        """The settings as the daemon has them; the checks work with `settings`."""
        self.settings = _for_a_look(settings, time_s)
        self.origins = origins
        self.time_s = time_s
        self.answer_s = time_s * ANSWER_SHARE
        self.clock = SystemClock()
        self._closers: list[Callable[[], Coroutine[object, object, object]]] = []
        self.broker = Once(self._broker)
        self.endpoints: Once[Mapping[str, EndpointLook | ChainUnavailable]] = Once(self._endpoints)
        self.head: Once[Head | None] = Once(self._head)
        self.node: Once[NodeIdentity] = Once(self._node)
        self.account: Once[Account] = Once(self._account)
        self.record: Once[Node | Unreadable | None] = Once(self._record)
        self.card: Once[Nic] = Once(self._card)
        self.farm: Once[FarmView] = Once(self._farm)

    @cached_property
    def container(self) -> Container:
        """The daemon's own adapters; to import them all takes most of a second."""
        from app.entrypoints.wiring.container import Container
        from app.entrypoints.wiring.injection import providers

        made = Container(settings=providers.Object(self.settings))
        self._closers += [made.chain_client().close, made.zbus_client().close]
        return made

    def load(self, checks: Collection[str]) -> None:
        """Import what these checks need, before any time counts: a busy machine takes seconds for it."""
        modules = {module for check in checks for module in MODULES.get(check, OTHERS)}
        for module in sorted(modules):
            import_module(module)

    def uses(self, port: str, *kinds: str) -> bool:
        """Whether one of these kinds of adapter serves the port."""
        return kind_of(self.settings, port) in kinds

    async def close(self) -> None:
        """Closes within a second or two, even when a connection hangs."""
        looks = (self.endpoints, self.head, self.node, self.account, self.record, self.card, self.farm, self.broker)
        await _in_time(*(look.end() for look in looks))
        await _in_time(*(close() for close in self._closers))

    async def _broker(self) -> RedisInspection:
        from app.adapters.redis.inspection import RedisInspection

        events = self.settings.events
        inspection = RedisInspection(
            broker_url(self.settings),
            stream=events.stream,
            group=events.group,
            dead_letter_stream=events.dead_letter_stream,
            answer_s=self.answer_s,
        )
        self._closers.append(inspection.close)
        return inspection

    async def _endpoints(self) -> Mapping[str, EndpointLook | ChainUnavailable]:
        from app.adapters.substrate.endpoint import name_of
        from app.adapters.substrate.endpoint_look import look_at

        urls = self.settings.chain.urls
        found = await asyncio.gather(*(_look_or_error(look_at(url, self.answer_s)) for url in urls))
        return {name_of(url): each for url, each in zip(urls, found, strict=True)}

    async def _head(self) -> Head | None:
        """The newest best head that any endpoint has; None where the gateway has none."""
        if not self.uses("chain", "substrate"):
            head: Head | None = await self.container.chain().head(HeadKind.BEST)
            return head
        found = await self.endpoints()
        heads = [look.best for look in found.values() if not isinstance(look, ChainUnavailable)]
        if not heads:
            raise ChainUnavailable("no endpoint of the chain answers (chain.urls)")
        return max(heads, key=lambda head: head.time_s)

    async def _node(self) -> NodeIdentity:
        found: NodeIdentity = await self.container.identity().identify()
        return found

    async def _account(self) -> Account:
        found: Account = await self.container.node_account().look()
        return found

    async def _record(self) -> Node | Unreadable | None:
        node = (await self.node()).node
        found: Mapping[int, Node | Unreadable] = await self.container.chain().nodes([node])
        return found.get(node)

    async def _card(self) -> Nic:
        found: Nic = await self.container.nic().find()
        return found

    async def _farm(self) -> FarmView:
        found: FarmView = await self.container.farm_view().look((await self.node()).farm)
        return found


async def _in_time(*closing: Coroutine[object, object, object]) -> None:
    with suppress(TimeoutError, PowerdError):
        async with timeout(CLOSING_S):
            await asyncio.gather(*closing)


async def _look_or_error(look: Coroutine[object, object, EndpointLook]) -> EndpointLook | ChainUnavailable:
    try:
        return await look
    except ChainUnavailable as error:
        return error


def _for_a_look(settings: Settings, time_s: float) -> Settings:
    """The settings with shorter time limits, and without the changes that finding a card can make."""
    replace = msgspec.structs.replace
    answer_s = time_s * ANSWER_SHARE
    return replace(
        settings,
        nic=replace(settings.nic, armed_file=""),
        chain=replace(settings.chain, timeout_s=min(settings.chain.timeout_s, answer_s)),
        holds=replace(settings.holds, inhibitors_timeout_s=min(settings.holds.inhibitors_timeout_s, answer_s)),
        host_power=replace(settings.host_power, timeout_s=min(settings.host_power.timeout_s, answer_s)),
    )
