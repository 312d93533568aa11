"""Checks that types cannot express: the forms of addresses, and keys that depend on each other."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Iterator
from pathlib import PurePath
from urllib.parse import urlsplit

from app.adapters.redis.broker_url import ENCODE, parse_broker_url
from app.domain.errors import PermanentError
from app.domain.model import Mac
from app.entrypoints.settings.keys import keys
from app.entrypoints.settings.profiles import behind_gateway, broker_url
from app.entrypoints.settings.schema import Settings

ROUNDING = 1e-5
"""An error names a bound with six digits, and powerd must accept that value."""

DAY_S = 86_400.0
LONG = ("boot_loop", "rtc_alarm")
"""Sections whose times are compared with how long a node sleeps, which may be days."""

STAGGER_SHARE_MAX = 0.25
"""The share of a wake's deadline that may pass before the last nodes call."""


def problems(settings: Settings) -> Iterator[tuple[str, str]]:
    """Each wrong key, and what is wrong with it."""
    yield from _infinite(settings)
    yield from _addresses(settings)
    yield from _shared_directories(settings)
    blocks = settings.chain.era_blocks
    if blocks & (blocks - 1):
        # With another number the era would not begin at the block that is current at signing.
        yield "chain.era_blocks", f"{blocks} is no power of two"
    yield from _order(settings)
    yield from _paces(settings)
    yield from _burst(settings)
    yield from _stagger(settings)
    yield from _follow_up(settings)
    yield from _metrics(settings)
    if settings.power_management.require_proved_wake and behind_gateway(settings):
        problem = "api-gateway does not say what was before a boot, so that no wake would ever be proved"
        yield "power_management.require_proved_wake", problem
    if settings.identity.kind == "configured" and not settings.identity.node_id:
        yield "identity.node_id", 'has to be given when identity.kind is "configured"'


def _order(settings: Settings) -> Iterator[tuple[str, str]]:
    """Pairs of keys of which the first must be smaller, and is not."""
    pairs = [
        ("wake.retry_delay_s_min", "wake.retry_delay_s_max"),
        ("uptime.retry_delay_s_min", "uptime.retry_delay_s_max"),
        ("boot_loop.stay_s_min", "boot_loop.stay_s_max"),
        # Else a crash at the end of a long stay would look like a long sleep.
        ("boot_loop.stay_s_max", "boot_loop.long_sleep_s"),
    ]
    if settings.rtc_alarm.enabled:
        # Else the alarm's own boots would look like a loop.
        pairs.append(("boot_loop.long_sleep_s", "rtc_alarm.ahead_s"))
    for smaller, greater in pairs:
        few, many = (keys()[path].of(settings) for path in (smaller, greater))
        if few > many:
            yield smaller, f"{few} is more than {greater}, {many}"


def _paces(settings: Settings) -> Iterator[tuple[str, str]]:
    """More than a day is a slip: no report would be paid, no sleeper called in time, no frozen node taken for dark."""
    for key in keys().values():
        seconds = key.name.endswith(("_s", "_s_min", "_s_max")) and key.section not in LONG
        if seconds and (value := key.of(settings)) > DAY_S:
            yield key.path, f"{value:g} s is more than a day; say {DAY_S:g} or less"


def _burst(settings: Settings) -> Iterator[tuple[str, str]]:
    """A burst must end before the next one: overlapping bursts add up, and the own power-off waits for them."""
    wake = settings.wake
    if wake.packets * wake.packet_interval_s > wake.retry_delay_s_min * (1 + ROUNDING):
        problem = f"{wake.packets} packets (wake.packets) {wake.packet_interval_s:g} s apart last longer than wake.retry_delay_s_min"
        most_s = wake.retry_delay_s_min / wake.packets
        yield "wake.packet_interval_s", f"{problem}, {wake.retry_delay_s_min:g} s; say {most_s:g} or less"


def _stagger(settings: Settings) -> Iterator[tuple[str, str]]:
    """The last nodes must call early, so that the sleeper has time to boot, and to be called again."""
    wake = settings.wake
    most_s = wake.deadline_s * STAGGER_SHARE_MAX
    if wake.first_wakers and 2 * wake.stagger_s > most_s:
        problem = f"twice {wake.stagger_s:g} s is more than a quarter of wake.deadline_s, {wake.deadline_s:g} s"
        yield "wake.stagger_s", f"{problem}; say {most_s / 2:g} or less, or wake.first_wakers = 0 for no stagger"


def _follow_up(settings: Settings) -> Iterator[tuple[str, str]]:
    """api-gateway's time is so vague that only two looks show that the chain moves."""
    pause_s, key = max(
        (settings.zbus.gateway_follow_up_s, "zbus.gateway_follow_up_s"),
        (settings.power_management.follow_up_s, "power_management.follow_up_s"),
    )
    most_s = settings.chain.best_head_age_s_max / 2
    if behind_gateway(settings) and most_s and pause_s > most_s:
        problem = f"{pause_s:g} s is more than half of chain.best_head_age_s_max, so no power-off would be allowed"
        yield key, f"{problem}; say {most_s:g} or less"


def _metrics(settings: Settings) -> Iterator[tuple[str, str]]:
    metrics = settings.metrics
    try:
        ipaddress.ip_address(metrics.host)
    except ValueError:
        yield "metrics.host", f"{metrics.host!r} is no IP address such as 127.0.0.1, 0.0.0.0 or ::1"
    textfile = PurePath(metrics.textfile)
    if metrics.textfile and not (textfile.is_absolute() and textfile.suffix == ".prom"):
        yield (
            "metrics.textfile",
            f"{metrics.textfile!r} is no absolute path that ends with .prom, as node_exporter wants",
        )


def _infinite(settings: Settings) -> Iterator[tuple[str, str]]:
    for key in keys().values():
        if isinstance(value := key.of(settings), float) and not math.isfinite(value):
            yield key.path, f"{value} is not a finite number"


def _addresses(settings: Settings) -> Iterator[tuple[str, str]]:
    try:
        parse_broker_url(broker_url(settings))
    except PermanentError as error:
        yield "broker.url", str(error)
    for url in settings.chain.urls:
        if not _is_websocket(url):
            hint = f"; {ENCODE}" if "@" in url else ""
            yield (
                "chain.urls",
                f"{_shown(url)!r} is no WebSocket address such as ws://127.0.0.1:9944 or wss://HOST{hint}",
            )
    try:
        ipaddress.IPv4Address(settings.magic_packets.host)
    except ValueError:
        yield "magic_packets.host", f"{settings.magic_packets.host!r} is no IPv4 address such as 255.255.255.255"
    if settings.nic.mac:
        try:
            Mac.parse(settings.nic.mac)
        except ValueError as error:
            yield "nic.mac", str(error)


def _shown(url: str) -> str:
    """Scheme and host of a URL. User, path and query may be secrets, also in a malformed URL."""
    scheme, colon, rest = url.partition("://")
    if not colon:
        return re.split("[/?#@]", url)[0]
    place = re.split("[/?#]", rest)[0]
    # A / or ? in the password ends the place before its @: what stands there is a part of the login.
    return f"{scheme}://{'…' if '@' in rest and '@' not in place else place.rpartition('@')[2]}"


def _shared_directories(settings: Settings) -> Iterator[tuple[str, str]]:
    """Directories that other programs write to: powerd would not see a hold in another one."""
    for key, directory in (("holds.dir", settings.holds.dir), ("host_facts.flags_dir", settings.host_facts.flags_dir)):
        if not PurePath(directory).is_absolute():
            yield key, f"{directory!r} is no absolute path, so each program would take it for another directory"


def _is_websocket(url: str) -> bool:
    try:
        parts = urlsplit(url)
        # A / or ? in the password ends the host's part of the URL too early: user and host would be mixed up.
        cut_short = "@" in f"{parts.path}{parts.query}{parts.fragment}"
        return parts.scheme in ("ws", "wss") and bool(parts.hostname) and parts.port != 0 and not cut_short
    except ValueError:
        return False
