"""The composition root: the one place where adapters meet services.

Every port is a provider of its own, chosen by its ``kind`` in the settings (``auto``: what the
profile says, `KINDS`), and can be overridden alone, as the tests do. Nothing is connected here:
adapters connect when they are first used, and the program that runs the services closes them.
"""

from __future__ import annotations

from importlib.metadata import version

from dependency_injector import containers, providers

from app.domain.model import NodeIdentity
from app.domain.services.context.fault_board import FaultBoard
from app.domain.services.endpoint_watch import EndpointWatch
from app.domain.services.events.follower import Follower
from app.domain.services.identification import Identification
from app.domain.services.operator_desk import ClosedDesk, OperatorDesk
from app.domain.services.registration_watch import RegistrationWatch
from app.entrypoints.settings.profiles import kind_of, rtc_alarm_kind, serves_zbus, signs_of_life_kind
from app.entrypoints.settings.schema import Settings
from app.entrypoints.wiring import adapters, farmer_adapters, file_adapters, simulated_adapters, zos_adapters
from app.entrypoints.wiring.node_services import Ports, assemble
from app.entrypoints.wiring.policies import policies


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
    happenings = providers.Singleton(zos_adapters.zbus_happenings, settings, clock, jitter)
    telemetry = providers.Selector(
        providers.Callable(_yes_or_no, providers.Callable(serves_zbus, settings)),
        yes=providers.Singleton(
            adapters.fan_out, providers.List(providers.Singleton(adapters.log_telemetry), happenings)
        ),
        no=providers.Singleton(adapters.log_telemetry),
    )
    fault_display = providers.Selector(
        providers.Callable(kind_of, settings, "faults"),
        log=providers.Singleton(adapters.no_display),
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
        logind=providers.Singleton(adapters.file_and_logind_holds, settings, clock),
        simulated=providers.Singleton(simulated_adapters.simulated_holds, clock),
    )
    boot_memory = providers.Selector(
        providers.Callable(kind_of, settings, "boot_memory"),
        files=providers.Singleton(file_adapters.file_boot_memory, settings),
        simulated=providers.Singleton(simulated_adapters.simulated_boot_memory),
    )
    window_memory = providers.Selector(
        providers.Callable(kind_of, settings, "boot_memory"),
        files=providers.Singleton(file_adapters.file_window_memory, settings),
        simulated=providers.Singleton(simulated_adapters.simulated_window_memory),
    )
    rtc_alarm = providers.Selector(
        providers.Callable(rtc_alarm_kind, settings),
        linux=providers.Singleton(adapters.linux_rtc_alarm, settings),
        simulated=providers.Singleton(simulated_adapters.simulated_rtc_alarm, clock),
        off=providers.Object(None),
    )
    signs_of_life = providers.Selector(
        providers.Callable(signs_of_life_kind, settings),
        substrate=providers.Singleton(adapters.substrate_signs_of_life, chain_client),
        simulated=providers.Singleton(simulated_adapters.simulated_signs_of_life, world),
        off=providers.Object(None),
    )

    # -- the daemon's services ---------------------------------------------------------------------
    version = providers.Callable(version, "powerd")
    faults = providers.Singleton(FaultBoard, fault_display, clock, telemetry, jitter)
    endpoint_watch = providers.Singleton(
        EndpointWatch, providers.Singleton(adapters.substrate_endpoints, chain_client), faults, clock
    )
    identification = providers.Singleton(Identification, identity, clock, faults, telemetry, jitter)
    registration_watch = providers.Singleton(RegistrationWatch, identity, node, faults, clock, telemetry)
    ports = providers.Singleton(
        Ports,
        chain=chain,
        events=events,
        nic=nic,
        magic_packets=magic_packets,
        host_power=host_power,
        host_facts=host_facts,
        holds=holds,
        clock=clock,
        telemetry=telemetry,
        jitter=jitter,
        boot_memory=boot_memory,
        rtc_alarm=rtc_alarm,
        signs_of_life=signs_of_life,
        window_memory=window_memory,
    )
    services = providers.Singleton(assemble, node, ports, providers.Callable(policies, settings), faults)
    server = services.provided.server

    # -- what others may ask (zbus) ----------------------------------------------------------------
    closed_desk = providers.Singleton(ClosedDesk, identification, faults, version)
    desk = providers.Singleton(
        OperatorDesk,
        services,
        host_facts,
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
        faults,
        batch=settings.provided.follower.batch_blocks,
    )

    # -- the farmer's side (powerd farm) -----------------------------------------------------------
    farm_chain = providers.Singleton(farmer_adapters.substrate_reader, chain_client)
    farm_view = providers.Singleton(farmer_adapters.substrate_farm_view, chain_client)
    farm_history = providers.Singleton(farmer_adapters.substrate_farm_history, chain_client)
    farm_owners = providers.Singleton(farmer_adapters.substrate_farm_owners, chain_client)
    farmer_account = providers.Singleton(farmer_adapters.substrate_farmer_account, settings, chain_client)
    power_targets = providers.Singleton(farmer_adapters.substrate_power_targets, settings, chain_client)
