"""What a type can't say about the settings: forms of addresses, and keys that depend on one another."""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Iterator
from urllib.parse import urlsplit

from app.adapters.redis.broker_url import parse_broker_url
from app.domain.errors import PermanentError
from app.domain.model import Mac
from app.entrypoints.settings import Settings
from app.entrypoints.settings_keys import keys


def problems(settings: Settings) -> Iterator[tuple[str, str]]:
    """Each key that is wrong, and what is wrong with it."""
    yield from _infinite(settings)
    yield from _addresses(settings)
    blocks = settings.chain.era_blocks
    if blocks & (blocks - 1):
        # Else an era would not begin at the block that is current when it is signed.
        yield "chain.era_blocks", f"{blocks} is no power of two"
    for name in ("wake", "uptime"):
        section = getattr(settings, name)
        if section.retry_delay_s_min > section.retry_delay_s_max:
            yield (
                f"{name}.retry_delay_s_min",
                f"{section.retry_delay_s_min} is more than {name}.retry_delay_s_max, {section.retry_delay_s_max}",
            )
    if settings.identity.kind == "configured" and not settings.identity.node_id:
        yield "identity.node_id", 'has to be given when identity.kind is "configured"'


def _infinite(settings: Settings) -> Iterator[tuple[str, str]]:
    for key in keys().values():
        value = getattr(getattr(settings, key.section, settings), key.name)
        if isinstance(value, float) and not math.isfinite(value):
            yield key.path, f"{value} is not a finite number"


def _addresses(settings: Settings) -> Iterator[tuple[str, str]]:
    try:
        parse_broker_url(settings.broker.url)
    except PermanentError as error:
        yield "broker.url", str(error)
    except ValueError as error:
        yield "broker.url", f"is no URL ({error})"
    for url in settings.chain.urls:
        if not _is_websocket(url):
            yield "chain.urls", f"{url!r} is no WebSocket address such as ws://127.0.0.1:9944 or wss://HOST"
    try:
        ipaddress.IPv4Address(settings.magic_packets.host)
    except ValueError:
        yield "magic_packets.host", f"{settings.magic_packets.host!r} is no IPv4 address such as 255.255.255.255"
    if settings.nic.mac:
        try:
            Mac.parse(settings.nic.mac)
        except ValueError as error:
            yield "nic.mac", str(error)


def _is_websocket(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("ws", "wss") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
