"""The composition root: connects adapters and services.

Each port is one provider. Its ``kind`` in the settings chooses the adapter (``auto``: by the profile,
`KINDS`), and a test can override it alone. Adapters connect when they are first used, and the
program that runs the services closes them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from app import __version__
from app.adapters.linux.clock import SystemClock
from app.adapters.redis.power_events import RedisPowerEvents
from app.adapters.redis.power_events_out import RedisPowerEventsOut
from app.adapters.telemetry.recent import KeptEvents
from app.domain.model import NodeIdentity
from app.domain.services.context.fault_board import FaultBoard
from app.domain.services.context.node_context import NodeContext, ServiceContext
from app.domain.services.context.progress import Progress
from app.domain.services.endpoint_watch import EndpointWatch
from app.domain.services.events.follower import Follower
from app.domain.services.identification import Identification
from app.domain.services.operator_service import OperatorService
from app.domain.services.registration_watch import RegistrationWatch
from app.domain.services.status_watch import StatusWatch
from app.domain.services.supervision import Supervision
from app.entrypoints.settings.key_files import farmer_key
from app.entrypoints.settings.profiles import (
    broker_url,
    has_metrics,
    kind_of,
    rtc_alarm_kind,
    serves_metrics,
    signs_of_life_kind,
)
from app.entrypoints.settings.schema import Settings
from app.entrypoints.wiring import files, host, monitoring
from app.entrypoints.wiring.injection import LazyModule, containers, providers
from app.entrypoints.wiring.node_services import Ports, assemble
from app.entrypoints.wiring.policies import patience_s, policies

if TYPE_CHECKING:
    from app.entrypoints.wiring import prometheus, simulated, substrate, zos
else:
    # Each is imported only where the settings need it.
    prometheus, simulated, substrate, zos = map(LazyModule, ("prometheus", "simulated", "substrate", "zos"))


SETTINGS: providers.Dependency[Settings] = providers.Dependency()
NONE: Any = providers.Object(None)
one = providers.Singleton


def _of(make: Callable[..., Any], *needs: Any) -> Any:
    """A singleton of the settings and its other dependencies."""
    return providers.Singleton(make, SETTINGS, *needs)


def _by_kind(port: str, **kinds: Any) -> Any:
    """The provider of the adapter that the settings choose for the port."""
    return _by(kind_of, port, **kinds)


def _by(kind: Callable[..., str], *needs: Any, **kinds: Any) -> Any:
    return providers.Selector(providers.Callable(kind, SETTINGS, *needs), **kinds)


def _redis(adapter: Callable[..., Any]) -> Any:
    return _of(lambda settings: settings.events.build(adapter, url=broker_url(settings)))


def _memory(in_file: Callable[[Settings], Any]) -> Any:
    return _by_kind("boot_memory", files=_of(in_file), simulated=one(simulated.SimulatedMemory))


def _where(wanted: Callable[[Any], bool], need: Any, made: Any) -> Any:
    """The provider, or None where what it needs says that it is not wanted."""
    answer = providers.Callable(lambda need: "yes" if wanted(need) else "no", need)
    return providers.Selector(answer, yes=made, no=NONE)


def _given(need: object) -> bool:
    return need is not None


class Container(containers.DeclarativeContainer):
    """``Container(settings=providers.Object(settings))``; ``node`` is given before `server`."""

    settings = SETTINGS
    node: providers.Dependency[NodeIdentity] = providers.Dependency()
    """This node's `NodeIdentity`, once `identification` found it."""

    # -- the ports ---------------------------------------------------------------------------------
    jitter = one(host.system_jitter)
    clock = one(SystemClock)
    zbus_client = _of(zos.zbus_client)
    domain_events = _of(zos.zbus_domain_events, clock, jitter)
    recent_events = one(KeptEvents, clock)
    instruments: Any = providers.Object(None)
    """Only the daemon has metrics (`daemon_instruments`); it and the follower have a `program_fault_hook`."""
    metrics = _where(_given, instruments, one(prometheus.PrometheusTelemetry, instruments, clock))
    fault_hook: Any = providers.Object(None)
    telemetry = _of(monitoring.telemetry, recent_events, domain_events.provider, metrics, fault_hook)
    fault_display = _by_kind("faults", log=one(monitoring.log_display), zui=_of(zos.zbus_faults, zbus_client))
    world = one(simulated.world_of_one, clock)
    chain_client = _of(substrate.substrate_client, telemetry)
    chain = _by_kind(
        "chain",
        substrate=_of(substrate.substrate_chain, chain_client),
        gateway=_of(zos.zbus_chain, zbus_client, clock, telemetry),
        simulated=one(simulated.SimulatedChain, world.provided.ledger, clock, world.provided.account),
    )
    identity = _by_kind(
        "identity",
        key=_of(substrate.substrate_identity, chain_client),
        configured=_of(substrate.substrate_identity, chain_client),
        registrar=_of(zos.zbus_identity, zbus_client),
        simulated=one(simulated.SimulatedIdentity, world.provided.identity),
    )
    events = _by_kind(
        "events",
        redis=_redis(RedisPowerEvents),
        simulated=one(simulated.SimulatedPowerEvents, world.provided.stream, clock),
    )
    nic = _by_kind("nic", linux=_of(host.linux_nic), simulated=_of(simulated.simulated_nic))
    magic_packets = _by_kind(
        "magic_packets",
        raw=_of(host.raw_magic_packets),
        udp=_of(host.udp_magic_packets),
        simulated=one(simulated.SimulatedMagicPackets, world.provided.network),
    )
    host_power = _by_kind(
        "host_power",
        systemctl=_of(host.systemctl_host_power),
        zinit=_of(zos.zinit_host_power),
        simulated=one(simulated.SimulatedHostPower, clock),
    )
    host_facts = _by_kind(
        "host_facts", linux=_of(host.linux_host_facts), simulated=one(simulated.SimulatedHostFacts, clock)
    )
    holds = _by_kind(
        "holds",
        files=_of(host.file_holds, clock),
        logind=_of(host.file_and_logind_holds, clock),
        simulated=one(simulated.SimulatedHolds, clock),
    )
    boot_memory = _memory(files.boot_memory)
    window_memory = _memory(files.window_memory)
    wake_memory = _memory(files.wake_memory)
    trial_memory = _memory(files.trial_memory)
    rtc_alarm = _by(
        rtc_alarm_kind,
        linux=_of(host.linux_rtc_alarm),
        simulated=one(simulated.SimulatedRtcAlarm, clock),
        off=NONE,
    )
    signs_of_life = _by(
        signs_of_life_kind,
        substrate=one(substrate.SubstrateSignsOfLife, chain_client),
        simulated=one(simulated.SimulatedSignsOfLife, world.provided.ledger),
        off=NONE,
    )

    # -- the daemon's services ---------------------------------------------------------------------
    progress = one(Progress, clock, patience_s=providers.Callable(patience_s, settings))
    faults = one(FaultBoard, fault_display, clock, telemetry, jitter)
    everywhere = one(ServiceContext, clock, telemetry, faults, jitter, progress)
    context = one(NodeContext, clock, telemetry, faults, jitter, progress, node)
    endpoint_watch = one(EndpointWatch, one(substrate.substrate_endpoints, chain_client), everywhere)
    identification = one(Identification, identity, everywhere)
    registration_watch = one(RegistrationWatch, identity, context)
    ports = one(
        Ports,
        *(chain, events, nic, magic_packets, host_power, host_facts, holds, clock, telemetry, jitter),
        *(boot_memory, rtc_alarm, signs_of_life, window_memory, wake_memory, trial_memory),
    )
    services = one(assemble, node, ports, providers.Callable(policies, settings), faults, progress)
    server = services.provided.server

    # -- what others may ask (zbus) ----------------------------------------------------------------
    operator = one(OperatorService, identification, everywhere, host_facts, recent_events, __version__)
    power_object = one(zos.PowerObject, operator)
    zbus_server = _of(zos.zbus_server, power_object, jitter)

    status_watch = one(StatusWatch, _of(files.status_socket), operator.provided.status, everywhere)
    service_manager = one(host.service_manager)
    supervision = one(Supervision, service_manager, progress, clock, operator.provided.headline)

    # -- what monitoring systems see ---------------------------------------------------------------
    daemon_instruments = _where(has_metrics, SETTINGS, one(prometheus.Instruments))
    program_fault_hook = _of(monitoring.fault_hook)
    monitor = _where(_given, instruments, one(prometheus.monitor, operator, progress, instruments, clock))
    page_server = _where(_given, monitor, _where(serves_metrics, SETTINGS, _of(prometheus.page_server, monitor)))
    textfile = _where(
        _given, monitor, _where(lambda its: bool(its.metrics.textfile), SETTINGS, _of(prometheus.textfile, monitor))
    )

    # -- the follower (powerd events) --------------------------------------------------------------
    chain_blocks = one(substrate.SubstrateBlocks, chain_client)
    events_out = _redis(RedisPowerEventsOut)
    block_cursor = _of(files.block_cursor)
    follower = one(
        Follower, context, chain_blocks, events_out, block_cursor, batch=settings.provided.follower.batch_blocks
    )

    # -- the farmer's side (powerd farm) -----------------------------------------------------------
    farm_chain = one(substrate.SubstrateChain, chain_client)
    farm_view = one(substrate.SubstrateFarmView, chain_client)
    farm_history = one(substrate.SubstrateFarmHistory, chain_client)
    farm_owners = one(substrate.SubstrateFarmOwners, chain_client)
    farmer_key = _of(farmer_key)
    farmer_account = _of(substrate.substrate_farmer_account, chain_client, farmer_key)
    node_account = _of(substrate.substrate_node_account, chain_client)
    power_targets = _of(substrate.substrate_power_targets, chain_client, farmer_key)
