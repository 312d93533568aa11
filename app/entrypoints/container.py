"""The composition root: the one place where adapters meet services.

Every port is a provider of its own, chosen by its ``kind`` in the settings (``auto``: what the
profile says, `KINDS`), and can be overridden alone, as the tests do. Nothing is connected here:
adapters connect when they are first used, and whoever runs the services closes them.
"""

from __future__ import annotations

import operator
from importlib.metadata import version

from dependency_injector import containers, providers

from app.domain.model import NodeIdentity
from app.domain.services.bursts import Bursts
from app.domain.services.event_handler import EventHandler
from app.domain.services.event_inbox import EventInbox
from app.domain.services.farm_directory import FarmDirectory
from app.domain.services.fault_board import FaultBoard
from app.domain.services.follower import Follower
from app.domain.services.identification import Identification
from app.domain.services.observer import Observer
from app.domain.services.operator_desk import ClosedDesk, OperatorDesk
from app.domain.services.own_state import OwnState
from app.domain.services.power_management import PowerManagement
from app.domain.services.power_off import PowerOff
from app.domain.services.power_server import PowerServer
from app.domain.services.reconciler import Reconciler
from app.domain.services.shutdown import Shutdown
from app.domain.services.trigger import Trigger
from app.domain.services.uptime import Uptime
from app.domain.services.wake import WakeService
from app.domain.services.wake_faults import WakeFaults
from app.entrypoints import adapters, policies, simulated_adapters, zos_adapters
from app.entrypoints.kinds import behind_gateway, kind_of, serves_zbus
from app.entrypoints.settings import Settings


def _yes_or_no(answer: bool) -> str:
    return "yes" if answer else "no"


class Container(containers.DeclarativeContainer):
    """``Container(settings=providers.Object(settings))``; ``node`` is given before `server`."""

    settings: providers.Dependency[Settings] = providers.Dependency()
    node: providers.Dependency[NodeIdentity] = providers.Dependency()
    """This node's `NodeIdentity`, once `identification` found it."""

    # -- the ports ---------------------------------------------------------------------------------
    jitter = providers.Singleton(adapters.system_jitter)
    clock = providers.Singleton(adapters.system_clock)
    zbus_client = providers.Singleton(zos_adapters.zbus_client, settings)
    happenings = providers.Singleton(zos_adapters.zbus_happenings, settings, clock)
    telemetry = providers.Selector(
        providers.Callable(_yes_or_no, providers.Callable(serves_zbus, settings)),
        yes=providers.Singleton(
            adapters.fan_out, providers.List(providers.Singleton(adapters.log_telemetry), happenings)
        ),
        no=providers.Singleton(adapters.log_telemetry),
    )
    fault_display = providers.Selector(
        providers.Callable(kind_of, settings, "faults"),
        log=providers.Singleton(adapters.log_faults),
        zui=providers.Singleton(zos_adapters.zbus_faults, settings, zbus_client),
    )
    world = providers.Singleton(simulated_adapters.simulated_world, clock)
    chain_client = providers.Singleton(adapters.substrate_client, settings)
    chain = providers.Selector(
        providers.Callable(kind_of, settings, "chain"),
        substrate=providers.Singleton(adapters.substrate_chain, settings, chain_client),
        gateway=providers.Singleton(zos_adapters.zbus_chain, settings, zbus_client, clock),
        simulated=providers.Singleton(simulated_adapters.simulated_chain, world, clock),
    )
    identity = providers.Selector(
        providers.Callable(kind_of, settings, "identity"),
        key=providers.Singleton(adapters.substrate_identity, settings, chain_client),
        configured=providers.Singleton(adapters.substrate_identity, settings, chain_client),
        registrar=providers.Singleton(zos_adapters.zbus_identity, settings, zbus_client),
        simulated=providers.Singleton(simulated_adapters.simulated_identity, world),
    )
    events = providers.Selector(
        providers.Callable(kind_of, settings, "events"),
        redis=providers.Singleton(adapters.redis_power_events, settings),
        simulated=providers.Singleton(simulated_adapters.simulated_power_events, world, clock),
    )
    nic = providers.Selector(
        providers.Callable(kind_of, settings, "nic"),
        linux=providers.Singleton(adapters.linux_nic, settings),
        simulated=providers.Singleton(simulated_adapters.simulated_nic, settings),
    )
    magic_packets = providers.Selector(
        providers.Callable(kind_of, settings, "magic_packets"),
        raw=providers.Singleton(adapters.raw_magic_packets, settings),
        udp=providers.Singleton(adapters.udp_magic_packets, settings),
        simulated=providers.Singleton(simulated_adapters.simulated_magic_packets, world),
    )
    host_power = providers.Selector(
        providers.Callable(kind_of, settings, "host_power"),
        systemctl=providers.Singleton(adapters.systemctl_host_power, settings),
        zinit=providers.Singleton(zos_adapters.zinit_host_power, settings),
        simulated=providers.Singleton(simulated_adapters.simulated_host_power, clock),
    )
    host_facts = providers.Selector(
        providers.Callable(kind_of, settings, "host_facts"),
        linux=providers.Singleton(adapters.linux_host_facts, settings),
        simulated=providers.Singleton(simulated_adapters.simulated_host_facts, clock),
    )
    holds = providers.Selector(
        providers.Callable(kind_of, settings, "holds"),
        files=providers.Singleton(adapters.file_holds, settings, clock),
        simulated=providers.Singleton(simulated_adapters.simulated_holds, clock),
    )

    # -- the daemon's services ---------------------------------------------------------------------
    limits = providers.Callable(policies.power_limits, settings)
    wake_policy = providers.Callable(policies.wake_policy, settings)
    shutdown_policy = providers.Callable(policies.shutdown_policy, settings)
    version = providers.Callable(version, "powerd")
    own_trigger = providers.Singleton(Trigger, clock)
    farm_trigger = providers.Singleton(Trigger, clock)
    inbox = providers.Singleton(EventInbox)
    faults = providers.Singleton(FaultBoard, fault_display, clock, telemetry, jitter)
    identification = providers.Singleton(Identification, identity, clock, faults, telemetry, jitter)
    management = providers.Singleton(
        PowerManagement, nic, host_power, faults, allowed=settings.provided.power_management.enabled
    )
    farm = providers.Singleton(
        FarmDirectory,
        chain,
        clock,
        node.provided.farm,
        node.provided.node,
        refresh_s=settings.provided.power_management.farm_refresh_s,
        all_records=providers.Callable(operator.not_, providers.Callable(behind_gateway, settings)),
    )
    own_state = providers.Singleton(OwnState, chain, node.provided.node, management, telemetry)
    uptime = providers.Singleton(
        Uptime,
        chain,
        host_facts,
        clock,
        faults,
        telemetry,
        providers.Callable(policies.uptime_policy, settings),
        jitter,
    )
    wakes = providers.Singleton(
        WakeService,
        chain,
        farm,
        providers.Singleton(Bursts, magic_packets, clock, faults, telemetry, wake_policy),
        clock,
        providers.Singleton(WakeFaults, faults, settings.provided.wake.deadline_s),
        telemetry,
        wake_policy,
        jitter,
    )
    observer = providers.Singleton(Observer, chain, node.provided.node, holds, management, wakes, clock)
    shutdown = providers.Singleton(
        Shutdown,
        chain,
        observer,
        own_state,
        management,
        uptime,
        wakes,
        providers.Singleton(PowerOff, host_power, clock, faults, telemetry, shutdown_policy),
        clock,
        faults,
        telemetry,
        limits,
        shutdown_policy,
    )
    handler = providers.Singleton(
        EventHandler,
        events,
        inbox,
        chain,
        farm,
        wakes,
        node.provided.node,
        node.provided.farm,
        own_trigger,
        clock,
        telemetry,
        jitter,
        stale_after_s=settings.provided.events.stale_after_s,
    )
    server = providers.Singleton(
        PowerServer,
        chain,
        events,
        inbox,
        handler,
        farm,
        observer,
        own_state,
        management,
        uptime,
        wakes,
        shutdown,
        providers.Singleton(
            Reconciler,
            chain,
            clock,
            telemetry,
            providers.Callable(policies.reconcile_policy, settings),
            jitter,
        ),
        providers.Singleton(
            Reconciler,
            chain,
            clock,
            telemetry,
            providers.Callable(policies.farm_reconcile_policy, settings),
            jitter,
        ),
        own_trigger,
        farm_trigger,
        clock,
        telemetry,
        limits,
        jitter,
        first_report_wait_s=settings.provided.uptime.first_report_wait_s,
    )

    # -- what others may ask (zbus) ----------------------------------------------------------------
    closed_desk = providers.Singleton(ClosedDesk, identification, faults, version)
    desk = providers.Singleton(
        OperatorDesk,
        node,
        server,
        chain,
        farm,
        observer,
        management,
        uptime,
        wakes,
        shutdown,
        faults,
        host_facts,
        own_trigger,
        farm_trigger,
        clock,
        version,
    )
    power_object = providers.Singleton(zos_adapters.zbus_power_object, closed_desk)
    zbus_server = providers.Singleton(zos_adapters.zbus_server, settings, power_object, jitter)

    # -- the follower (powerd events) --------------------------------------------------------------
    chain_blocks = providers.Singleton(adapters.substrate_blocks, chain_client)
    events_out = providers.Singleton(adapters.redis_power_events_out, settings)
    block_cursor = providers.Singleton(adapters.file_block_cursor, settings)
    follower = providers.Singleton(
        Follower,
        chain_blocks,
        events_out,
        block_cursor,
        node.provided.farm,
        clock,
        telemetry,
        jitter,
        batch=settings.provided.follower.batch_blocks,
    )

    # -- the farmer's side (powerd farm) -----------------------------------------------------------
    power_targets = providers.Singleton(adapters.substrate_power_targets, settings, chain_client)
