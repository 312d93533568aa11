"""What the dev chain does wrong when it is asked to, by admin RPC and by its command line."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from substrateinterface import Keypair, KeypairType, SubstrateInterface

from tests.rigs.chain.as_process import DevChain, dev_chain
from tests.rigs.dev_rpc import Line, Refused, line
from tests.slowness import patient


@pytest.fixture(scope="module")
def chain() -> Iterator[DevChain]:
    with dev_chain("--endpoints", "2", block_time_s=3600, finality_lag=2) as running:
        yield running


@pytest.fixture
def first(chain: DevChain) -> Iterator[Line]:
    with line(chain.urls[0]) as made:
        yield made
        made.ask("dev_heal")


@pytest.fixture
def second(chain: DevChain) -> Iterator[Line]:
    with line(chain.urls[1]) as made:
        yield made


def extrinsic(chain: DevChain, url: str, call: str = "change_power_state", **arguments: Any) -> str:
    with SubstrateInterface(url=url, ws_options={"timeout": 10}) as client:
        key = Keypair.create_from_seed(chain.node_seeds[0], crypto_type=KeypairType.ED25519, ss58_format=42)
        composed = client.compose_call("TfgridModule", call, arguments or {"power_state": "Down"})
        return str(client.create_signed_extrinsic(composed, key).data.to_hex())


def test_a_silent_endpoint_takes_requests_and_answers_only_the_admin(first: Line, second: Line) -> None:
    first.ask("dev_stopAnswering", True)
    first.send("system_chain")
    assert first.is_quiet_for(0.2)
    assert second.ask("system_chain"), "the other endpoint answers"
    first.ask("dev_stopAnswering", False)
    assert first.ask("system_chain") == "powerd dev chain"


def test_a_slow_endpoint_answers_late(first: Line) -> None:
    first.ask("dev_delay", 0.2)
    first.send("system_chain")
    assert first.is_quiet_for(0.1)
    assert first.ask("dev_faults")["delay_s"] == 0.2


def test_a_lagging_endpoint_does_not_know_the_newest_blocks(first: Line, second: Line) -> None:
    second.ask("dev_newBlocks", 5)
    first.ask("dev_lag", 3)
    newest, height = second.ask("chain_getBlockHash"), second.height()
    assert first.height() == height - 3
    assert first.ask("chain_getBlockHash", height) is None
    assert int(first.ask("chain_getHeader", first.ask("chain_getFinalizedHead"))["number"], 16) <= height - 3
    with pytest.raises(Refused, match="UnknownBlock"):
        first.ask("chain_getHeader", newest)
    first.ask("dev_lag", 0)
    assert first.height() == height


def test_dropped_connections_are_all_but_the_one_that_asked(chain: DevChain, first: Line, second: Line) -> None:
    with line(chain.urls[0]) as victim:
        victim.ask("system_chain")
        first.ask("dev_dropConnections")
        victim.wait_for_end()
    assert first.ask("system_chain")
    assert second.ask("system_chain")


@pytest.mark.parametrize(("when", "taken"), [("before", 0), ("after", 1)])
def test_a_connection_dropped_around_an_extrinsic(chain: DevChain, second: Line, when: str, taken: int) -> None:
    raw = extrinsic(chain, chain.urls[1])
    waiting = len(second.ask("author_pendingExtrinsics"))
    with line(chain.urls[0]) as victim:
        victim.ask("dev_dropAtExtrinsic", when)
        victim.send("author_submitAndWatchExtrinsic", raw)
        victim.wait_for_end()
    assert len(second.ask("author_pendingExtrinsics")) == waiting + taken
    second.ask("dev_newBlocks", 1)


def test_finality_is_held_while_blocks_come(first: Line) -> None:
    first.ask("dev_newBlocks", 3)
    first.ask("dev_holdFinality", True)
    final = first.ask("chain_getFinalizedHead")
    first.ask("dev_newBlocks", 5)
    assert first.ask("chain_getFinalizedHead") == final
    first.ask("dev_holdFinality", False)
    first.ask("dev_newBlocks", 1)
    assert first.ask("chain_getFinalizedHead") != final


def test_a_reorganisation_replaces_blocks_by_a_longer_branch(first: Line) -> None:
    first.ask("dev_newBlocks", 4)
    height, old = first.height(), first.ask("chain_getBlockHash")
    final = first.ask("chain_getFinalizedHead")
    first.ask("dev_reorganise", 100)
    assert first.height() == height + 1
    assert first.ask("chain_getBlockHash", height) != old
    assert first.ask("chain_getBlockHash", int(first.ask("chain_getHeader", final)["number"], 16)) == final


def test_an_extrinsic_can_be_refused_for_a_reason(chain: DevChain, first: Line) -> None:
    raw = extrinsic(chain, chain.url)
    first.ask("dev_refuseExtrinsics", "payment", 1)
    with pytest.raises(Refused, match="Invalid Transaction"):
        first.ask("author_submitExtrinsic", raw)
    first.ask("author_submitExtrinsic", raw)
    first.ask("dev_newBlocks", 1)


def test_an_extrinsic_can_be_lost(chain: DevChain, first: Line) -> None:
    raw = extrinsic(chain, chain.url)
    first.ask("dev_loseExtrinsics", 1)
    first.ask("author_submitExtrinsic", raw)
    assert first.ask("author_pendingExtrinsics") == []
    first.ask("dev_newBlocks", 1)


def test_a_runtime_upgrade_numbers_calls_and_events_again(chain: DevChain, first: Line) -> None:
    """Old signatures are refused, and every block is decoded with its own runtime's metadata."""
    signed_for_old = extrinsic(chain, chain.url)
    first.ask("author_submitExtrinsic", signed_for_old)
    first.ask("dev_newBlocks", 1)
    before = first.ask("chain_getBlockHash")
    stale = extrinsic(chain, chain.url, power_state="Up")
    old = first.ask("state_getRuntimeVersion")["specVersion"]
    assert first.ask("dev_upgradeRuntime") == old + 1
    assert first.ask("state_getRuntimeVersion")["specVersion"] == old + 1
    assert first.ask("state_getRuntimeVersion", before)["specVersion"] == old
    with pytest.raises(Refused, match="Invalid Transaction"):
        first.ask("author_submitExtrinsic", stale)
    # The library signs by the runtime of the head's parent.
    first.ask("dev_newBlocks", 1)
    first.ask("author_submitExtrinsic", extrinsic(chain, chain.url, power_state="Up"))
    first.ask("dev_newBlocks", 1)
    after = first.ask("chain_getBlockHash")
    for block in (before, after):
        with SubstrateInterface(url=chain.url, ws_options={"timeout": 10}) as client:
            names = [event.value["event_id"] for event in client.get_events(block)]
            assert "PowerStateChanged" in names


@pytest.mark.parametrize(
    ("method", "params", "remedy"),
    [
        ("dev_stopAnswering", ["yes"], "true or false"),
        ("dev_delay", [-1], "seconds from 0"),
        ("dev_lag", [1.5], "a number of blocks"),
        ("dev_reorganise", [], "depth"),
        ("dev_refuseExtrinsics", ["mood"], "one of stale"),
        ("dev_dropAtExtrinsic", ["during"], "before"),
        ("dev_newBlocks", [-1], "a number of blocks"),
    ],
)
def test_arguments_that_make_no_sense_get_the_remedy(first: Line, method: str, params: list[Any], remedy: str) -> None:
    with pytest.raises(Refused, match=remedy):
        first.ask(method, *params)


def test_nothing_can_be_forked_while_blocks_are_held(first: Line) -> None:
    first.ask("dev_holdBlocks", True)
    for method, params in (("dev_reorganise", [1]), ("dev_upgradeRuntime", [])):
        with pytest.raises(Refused, match="dev_holdBlocks"):
            first.ask(method, *params)


def test_all_that_is_wrong_is_listed_and_healed(first: Line) -> None:
    healthy = first.ask("dev_heal")
    first.ask("dev_lag", 2)
    first.ask("dev_holdFinality", True)
    first.ask("dev_loseExtrinsics", 3)
    ill = first.ask("dev_faults")
    assert (ill["lag_blocks"], ill["hold_finality"], ill["lose_extrinsics"]) == (2, True, 3)
    assert first.ask("dev_heal") == healthy


def test_the_admin_methods_are_listed(first: Line) -> None:
    assert "dev_reorganise" in first.ask("rpc_methods")["methods"]


def test_plagues_of_the_command_line_strike_again_and_again() -> None:
    forks = ("--reorganise-every-blocks", "3", "--reorganise-depth", "2")
    options = (*forks, "--upgrade-every-blocks", "5", "--drop-connections-every-s", "0.5")
    with dev_chain(*options, "--endpoints", "2", block_time_s=0.05, finality_lag=3) as chain:
        with line(chain.urls[0]) as victim:
            victim.wait_for_end()
        with line(chain.urls[1]) as watcher:
            deadline = time.monotonic() + patient(30)
            seen: dict[int, set[str]] = {}
            while not any(len(hashes) > 1 for hashes in seen.values()):
                assert time.monotonic() < deadline, "no reorganisation"
                height = watcher.height()
                seen.setdefault(height, set()).add(watcher.ask("chain_getBlockHash", height))
            assert watcher.ask("state_getRuntimeVersion")["specVersion"] > 149


def test_faults_of_the_command_line_are_there_from_the_start() -> None:
    options = ("--hold-finality", "--refuse-extrinsics", "payment", "--lose-extrinsics", "2", "--delay-s", "0.01")
    with dev_chain(*options, "--lag-blocks", "1") as chain, line(chain.url) as asked:
        faults = asked.ask("dev_faults")
        assert faults["hold_finality"]
        assert faults["refuse_extrinsics"][0] == "payment"
        assert (faults["lose_extrinsics"], faults["delay_s"], faults["lag_blocks"]) == (2, 0.01, 1)
        with pytest.raises(Refused, match="Invalid Transaction"):
            asked.ask("author_submitExtrinsic", extrinsic(chain, chain.url))
