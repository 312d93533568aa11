"""Zero-OS: its daemons over zbus, and its init system."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from app.adapters.telemetry.sentences import line_of
from app.adapters.zbus.chain import ZbusChain
from app.adapters.zbus.client import ZbusClient
from app.adapters.zbus.domain_events import ZbusDomainEvents
from app.adapters.zbus.fault_display import ZbusFaultDisplay
from app.adapters.zbus.identity import ZbusIdentity
from app.adapters.zbus.power_object import MODULE, OBJECT, PowerObject
from app.adapters.zbus.server import ZbusServer
from app.adapters.zinit.host_power import ZinitHostPower
from app.domain.backoff import Jitter
from app.domain.events import DomainEvent
from app.domain.measurements import ChainAnswered
from app.domain.model import FarmId
from app.entrypoints.settings.profiles import broker_url
from app.entrypoints.settings.schema import Settings
from app.ports.clock import Clock
from app.ports.fault_display import FaultDisplay
from app.ports.telemetry import Telemetry

GATEWAY = "api-gateway"
"""Its name in metrics, in place of an endpoint's."""


def zbus_client(settings: Settings) -> ZbusClient:
    return ZbusClient(broker_url(settings))


def zbus_chain(settings: Settings, client: ZbusClient, clock: Clock, telemetry: Telemetry) -> ZbusChain:
    return ZbusChain(
        client,
        clock,
        timeout_s=settings.zbus.gateway_timeout_s,
        on_answer=lambda took_s: telemetry.measure(ChainAnswered(GATEWAY, took_s)),
    )


def zbus_identity(settings: Settings, client: ZbusClient) -> ZbusIdentity:
    """This node's identity, from registrar."""
    farm_id = FarmId(settings.identity.farm_id) if settings.identity.farm_id else None
    return ZbusIdentity(client, farm_id=farm_id, timeout_s=settings.zbus.timeout_s)


def zbus_faults(settings: Settings, client: ZbusClient) -> FaultDisplay:
    return ZbusFaultDisplay(client, timeout_s=settings.zbus.timeout_s)


def zbus_domain_events(settings: Settings, clock: Clock, jitter: Jitter) -> ZbusDomainEvents:
    def describe(event: DomainEvent) -> tuple[str, Mapping[str, object]]:
        line = line_of(event)
        return line.sentence, line.fields

    return ZbusDomainEvents(broker_url(settings), clock, describe, jitter)


def zbus_server(settings: Settings, power: PowerObject, jitter: Jitter) -> ZbusServer:
    return ZbusServer(broker_url(settings), MODULE, {OBJECT: power.methods()}, jitter)


def zinit_host_power(settings: Settings) -> ZinitHostPower:
    zinit = settings.zinit
    return zinit.build(ZinitHostPower, socket=Path(zinit.socket), timeout_s=settings.host_power.timeout_s)
