"""``powerd check --wake`` and ``--hear``: packets on loopback and in a network namespace, and a chain that follows."""

from __future__ import annotations

import asyncio
import io
import socket
from collections.abc import Callable, Coroutine, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from dependency_injector import providers
from pytest_mock import MockerFixture

from app.adapters.simulated.identity import SimulatedIdentity
from app.adapters.substrate.chain import SubstrateChain
from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.power_targets import SubstratePowerTargets
from app.adapters.wol.listener import Heard, hear, heard_in
from app.adapters.wol.raw import RawMagicPackets
from app.adapters.wol.several import Sender
from app.adapters.wol.udp import UdpMagicPackets
from app.domain.errors import PermanentError
from app.domain.model import FarmId, Mac, NodeId, NodeIdentity, Power, TwinId
from app.entrypoints.check.finding import Severity
from app.entrypoints.check.looks import host
from app.entrypoints.check.subject import Subject
from app.entrypoints.check.wake import wake
from app.entrypoints.powerd.cli import main
from app.entrypoints.settings.loading import load_settings
from tests.rigs import network as wire
from tests.rigs.chain.as_process import DevChain, dev_chain
from tests.rigs.isolation import in_network_namespace, without_capabilities
from tests.slowness import patient

pytestmark = pytest.mark.timeout(120)

PEER = NodeId(2)
OTHER = "54:45:46:f6:02:61"


@pytest.fixture(scope="module")
def chain() -> Iterator[DevChain]:
    """Makes a block for each extrinsic, final at once."""
    with dev_chain(nodes=3) as running:
        yield running


class Segment:
    """Loopback as the nodes' segment: what is called there, and the peer that may answer."""

    def __init__(self, chain: DevChain, directory: Path) -> None:
        self.directory = directory
        self.chain = chain
        self.ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.ear.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self.ear.bind(("127.255.255.255", 0))
        self.ear.setblocking(False)

    def subject(self) -> Subject:
        settings = load_settings(
            None,
            {},
            {
                "chain.urls": [self.chain.url],
                "chain.best_head_age_s_max": 0.0,
                "chain.finalized_head_age_s_max": 0.0,
                "identity.key_file": self.chain.about["nodes"][0]["key_file"],
                "magic_packets.kind": "udp",
                "magic_packets.interface": "",
                "magic_packets.host": "127.255.255.255",
                "magic_packets.port": self.ear.getsockname()[1],
                "boot_memory.file": str(self.directory / "boots.json"),
                "wake.packets": 2,
                "wake.packet_interval_s": 0.01,
                "wake.retry_delay_s_min": 0.1,
            },
        )
        return Subject(settings, {}, patient(30))

    async def heard(self, mac: str) -> None:
        """Wait for a packet for this address."""
        while bytes.fromhex(mac.replace(":", "")) not in await asyncio.get_running_loop().sock_recv(self.ear, 2048):
            pass

    async def says(self, power: Power, *, target: Power | None = None) -> None:
        """The peer reports its state, as its own daemon would; its farmer may set its target before."""
        client = SubstrateClient([self.chain.url])
        try:
            if target is not None:
                farmer = SubstratePowerTargets(client, seed=self.chain.farmer_seed)
                await farmer.set_power_target(PEER, target)
            await SubstrateChain(client, seed=self.chain.node_seeds[1]).set_power_state(power)
        finally:
            await client.close()


@pytest.fixture
def segment(chain: DevChain, tmp_path: Path) -> Iterator[Segment]:
    made = Segment(chain, tmp_path)
    yield made
    made.ear.close()


def mac_of(chain: DevChain, node: int) -> str:
    return str(chain.about["nodes"][node - 1]["mac"])


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (Power.DOWN, "its target is Down, so no other node calls it"),
        (Power.UP, "its target is Up, so other nodes of the farm may be calling it too"),
    ],
)
def test_a_sleeper_is_called_until_the_chain_shows_it_awake(segment: Segment, target: Power, said: str) -> None:
    async def sleeper() -> None:
        await segment.heard(mac_of(segment.chain, PEER))
        await segment.heard(mac_of(segment.chain, PEER))
        await segment.says(Power.UP)

    async def body() -> Severity:
        await segment.says(Power.DOWN, target=target)
        answer = asyncio.create_task(sleeper())
        try:
            return await wake(segment.subject(), PEER, patient(60), out)
        finally:
            await answer

    out = io.StringIO()
    assert asyncio.run(body()) is Severity.OK
    first, second, last = out.getvalue().splitlines()
    assert first.startswith(f"calling node 2 ({mac_of(segment.chain, PEER)}) on the default route, for ")
    assert second.startswith(said)
    assert last.startswith("node 2 woke: the chain shows it awake ")
    remembered = segment.directory / "boots-woken.json"
    # With the target Up another node may have called it.
    assert remembered.exists() is (target is Power.DOWN)
    shown = [finding.seen for finding in asyncio.run(host.proof(segment.subject()))]
    assert bool([seen for seen in shown if seen.startswith("this node woke node 2, last at ")]) is remembered.exists()


def test_one_that_goes_back_to_sleep_at_once_woke_all_the_same(segment: Segment) -> None:
    async def sleeper() -> None:
        await segment.heard(mac_of(segment.chain, PEER))
        await segment.says(Power.UP)
        await segment.says(Power.DOWN)

    async def body() -> Severity:
        await segment.says(Power.DOWN, target=Power.DOWN)
        answer = asyncio.create_task(sleeper())
        try:
            return await wake(segment.subject(), PEER, patient(60), io.StringIO())
        finally:
            await answer

    assert asyncio.run(body()) is Severity.OK


def test_one_that_does_not_wake_in_time_is_a_failure_with_what_to_look_at(segment: Segment) -> None:
    async def body() -> Severity:
        await segment.says(Power.DOWN, target=Power.DOWN)
        return await wake(segment.subject(), PEER, 0.3, out)

    out = io.StringIO()
    assert asyncio.run(body()) is Severity.FAILED
    assert "node 2 did not wake within 1 s, after " in out.getvalue()
    assert "remedy: wake it by its button, run `powerd check` on it" in out.getvalue()


def test_one_that_is_awake_gets_a_burst_and_proves_nothing(segment: Segment) -> None:
    async def body() -> Severity:
        await segment.says(Power.DOWN, target=Power.UP)
        await segment.says(Power.UP)
        found = await wake(segment.subject(), PEER, 1, out)
        await segment.heard(mac_of(segment.chain, PEER))
        return found

    out = io.StringIO()
    assert asyncio.run(body()) is Severity.WARNING
    assert "is Up on chain already" in out.getvalue()


def error_of(segment: Segment, node: int, change: Callable[[Subject], object] = lambda _: None) -> str:
    async def body() -> None:
        subject = segment.subject()
        change(subject)
        await wake(subject, NodeId(node), 1, io.StringIO())

    with pytest.raises(PermanentError) as caught:
        asyncio.run(body())
    return str(caught.value)


def test_what_can_not_be_woken_is_refused_with_the_way_out(segment: Segment) -> None:
    def of_another_farm(subject: Subject) -> None:
        elsewhere = SimulatedIdentity(NodeIdentity(NodeId(1), FarmId(99), TwinId(2)))
        subject.container.identity.override(providers.Object(elsewhere))

    assert "the chain knows no node 77; `powerd farm list` shows" in error_of(segment, 77)
    assert "no node wakes itself" in error_of(segment, 1)
    assert "node 2 is of farm 1" in error_of(segment, 2, of_another_farm)


@pytest.mark.parametrize("options", [["--hear", "--wake", "2"], ["--hear", "--json"], ["--wake", "2", "--only", "key"]])
def test_options_that_do_not_go_together_are_refused(options: list[str]) -> None:
    done = CliRunner().invoke(main, ["check", *options])
    assert done.exit_code == 2
    assert "stand alone" in done.output


def test_without_a_key_there_is_no_farm_to_wake_in() -> None:
    done = CliRunner(env={"POWERD_IDENTITY_KEY_FILE": None}).invoke(main, ["check", "--wake", "2"])
    assert done.exit_code == 78
    assert "who is this node?" in done.output


FRAME = bytes.fromhex("020000000001020000000002") + b"\x08\x42" + b"\xff" * 6 + bytes.fromhex("544546f60261") * 16


@pytest.mark.parametrize(
    ("frame", "heard"),
    [
        (FRAME, Heard(Mac(OTHER), "02:00:00:00:00:02", "eth0")),
        (FRAME + b"secret", Heard(Mac(OTHER), "02:00:00:00:00:02", "eth0")),
        (FRAME[:-1], None),
        (FRAME[:20] + b"\xff" * 96, None),  # no card has this address
        (b"\xff" * 14, None),
        (b"", None),
    ],
)
def test_a_frame_is_a_magic_packet_only_whole(frame: bytes, heard: Heard | None) -> None:
    assert heard_in(frame, "eth0") == heard


def in_segment(body: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    def laid() -> Any:
        wire.lay()
        return asyncio.run(body())

    return in_network_namespace(laid)


def test_packets_of_every_kind_are_heard_where_they_come_in_and_not_where_they_leave() -> None:
    async def three() -> list[Heard]:
        async with aclosing(hear(40009)) as packets:
            first = asyncio.create_task(anext(packets))
            await asyncio.sleep(0)
            senders: list[Sender] = [UdpMagicPackets(wire.NEAR, port=40010), RawMagicPackets(wire.NEAR)]
            senders += [UdpMagicPackets(wire.NEAR), UdpMagicPackets(wire.NEAR, port=40009)]
            for sender in senders:
                await sender.send(Mac(OTHER))
                await sender.close()
            async with asyncio.timeout(patient(20)):
                return [await first, await anext(packets), await anext(packets)]

    bare, *broadcasts = in_segment(three)
    assert bare == Heard(Mac(OTHER), wire.NEAR_MAC, wire.FAR)
    assert broadcasts == [Heard(Mac(OTHER), wire.NEAR_MAC, wire.FAR, "0.0.0.0")] * 2


def test_the_command_says_from_whom_and_where_a_packet_came(mocker: MockerFixture) -> None:
    async def hear_late(port: int) -> Any:
        async with aclosing(hear(port)) as packets:
            first = asyncio.create_task(anext(packets))
            await asyncio.sleep(0)
            sender = RawMagicPackets(wire.NEAR)
            await sender.send(Mac(OTHER))
            await sender.close()
            yield await first

    mocker.patch("app.entrypoints.check.hear.hear", hear_late)

    def body() -> Any:
        wire.lay()
        return CliRunner().invoke(main, ["check", "--hear", "--timeout", f"{patient(5):.0f}s"], catch_exceptions=False)

    done = in_network_namespace(body)
    assert done.exit_code == 0
    assert f"heard on far: a magic packet for {OTHER} from {wire.NEAR_MAC}" in done.output


def test_when_none_comes_it_says_what_to_look_at_and_waits_for_no_chain(mocker: MockerFixture) -> None:
    async def hangs(_: object) -> None:
        await asyncio.Event().wait()

    mocker.patch("app.entrypoints.check.hear._Names.ask", hangs)
    done = in_network_namespace(lambda: CliRunner().invoke(main, ["check", "--hear", "--timeout", "1s"]))
    assert done.exit_code == 2
    assert "no magic packet came within 1 s; remedy: check that both nodes" in done.output


def test_without_the_right_to_listen_it_says_so() -> None:
    done = without_capabilities(lambda: CliRunner().invoke(main, ["check", "--hear", "--timeout", "1s"]))
    assert done.exit_code == 2
    assert "CAP_NET_RAW" in done.output
