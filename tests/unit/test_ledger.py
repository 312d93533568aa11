"""The simulated chain keeps tfchain's rules: who may do what, what it costs, and what the chain says."""

from __future__ import annotations

import pytest

from app.adapters.simulated.farm_setup import BALANCE, add_farm
from app.adapters.simulated.ledger import FEE, InvalidTransaction, Ledger
from app.adapters.simulated.ledger_blocks import Block, Extrinsic
from app.adapters.simulated.node_powers import NodePowers, node_power_of
from app.adapters.simulated.pallet import StoredPower, Values
from app.domain.model import NodeId

FARMER, NODE, OTHER, STRANGER = (name.encode().ljust(32, b".") for name in ("farmer", "node", "other", "stranger"))
START_S = 1_700_000_000.0


@pytest.fixture
def ledger() -> Ledger:
    made = Ledger(START_S, block_time_s=6, finality_lag=2)
    add_farm(made, FARMER, [NODE])
    add_farm(made, OTHER, [])
    return made


def send(ledger: Ledger, account: bytes, call: str, **arguments: object) -> tuple[str, Block]:
    """Submit, make a block, and return how it ended: ``ok`` or the error's name."""
    extrinsic = Extrinsic(account, ledger.next_nonce(account), call, arguments)
    ledger.submit(extrinsic, START_S)
    block = ledger.produce(START_S + 6 * (ledger.best_number + 1))
    assert block is not None
    index = block.extrinsics.index(extrinsic)
    last = [event for event in block.events if event.extrinsic == index][-1]
    return ("ok" if last.name == "ExtrinsicSuccess" else last.attributes["error"]), block


def events(block: Block) -> list[str]:
    return [event.name for event in block.events if event.pallet != "System"]


@pytest.mark.parametrize(
    ("account", "call", "arguments", "answer"),
    [
        (FARMER, "change_power_target", {"node_id": 1, "power_target": "Down"}, "ok"),
        (OTHER, "change_power_target", {"node_id": 1, "power_target": "Down"}, "UnauthorizedToChangePowerTarget"),
        (NODE, "change_power_target", {"node_id": 1, "power_target": "Down"}, "UnauthorizedToChangePowerTarget"),
        (FARMER, "change_power_target", {"node_id": 9, "power_target": "Down"}, "NodeNotExists"),
        (NODE, "change_power_state", {"power_state": "Down"}, "ok"),
        (FARMER, "change_power_state", {"power_state": "Down"}, "NodeNotExists"),
        (NODE, "report_uptime", {"uptime": 5}, "ok"),
        (FARMER, "report_uptime", {"uptime": 5}, "NodeNotExists"),
        (FARMER, "create_node", {"farm_id": 9}, "FarmNotExists"),
        (FARMER, "create_twin", {"relay": None, "pk": None}, "UserDidNotSignTermsAndConditions"),
    ],
)
def test_who_may_do_what(ledger: Ledger, account: bytes, call: str, arguments: dict[str, object], answer: str) -> None:
    assert send(ledger, account, call, **arguments)[0] == answer


@pytest.mark.parametrize(
    ("off_s", "answer"),
    [(0, "ok"), (-60, "ok"), (60, "ok"), (-61, "InvalidTimestampHint"), (61, "InvalidTimestampHint")],
)
def test_the_hint_has_to_lie_within_a_minute_of_the_block(ledger: Ledger, off_s: int, answer: str) -> None:
    hint = int(START_S) + 6 + off_s
    assert send(ledger, NODE, "report_uptime_v2", uptime=5, timestamp_hint=hint)[0] == answer


@pytest.mark.parametrize(
    ("account", "call", "arguments", "cost"),
    [
        (NODE, "change_power_state", {"power_state": "Down"}, 0),
        (NODE, "report_uptime", {"uptime": 5}, 0),
        (NODE, "report_uptime_v2", {"uptime": 5, "timestamp_hint": 0}, FEE),
        (FARMER, "change_power_target", {"node_id": 1, "power_target": "Down"}, FEE),
        (FARMER, "remark", {"remark": b""}, FEE),
    ],
)
def test_what_it_costs(ledger: Ledger, account: bytes, call: str, arguments: Values, cost: int) -> None:
    send(ledger, account, call, **arguments)
    assert BALANCE - ledger.read("Balance", account) == cost


def test_a_repeated_down_is_a_change_and_a_repeated_up_is_none(ledger: Ledger) -> None:
    assert events(send(ledger, NODE, "change_power_state", power_state="Up")[1]) == []
    assert events(send(ledger, NODE, "change_power_state", power_state="Down")[1]) == ["PowerStateChanged"]
    assert events(send(ledger, NODE, "change_power_state", power_state="Down")[1]) == ["PowerStateChanged"]
    assert ledger.read("NodePower", 1) == StoredPower(3, "Up")


def test_a_target_that_changes_nothing_brings_its_event_all_the_same(ledger: Ledger) -> None:
    for _ in range(2):
        block = send(ledger, FARMER, "change_power_target", node_id=1, power_target="Up")[1]
        assert events(block) == ["PowerTargetChanged"]


def test_a_node_with_active_contracts_is_not_put_to_sleep(ledger: Ledger) -> None:
    ledger.force_storage("ActiveNodeContracts", 1, (77,))
    down = {"node_id": 1, "power_target": "Down"}
    assert send(ledger, FARMER, "change_power_target", **down)[0] == "NodeHasActiveContracts"
    assert send(ledger, FARMER, "change_power_target", node_id=1, power_target="Up")[0] == "ok"


def test_how_a_farm_comes_to_be(ledger: Ledger) -> None:
    ledger.force_storage("Balance", STRANGER, BALANCE)
    assert send(ledger, STRANGER, "user_accept_tc", document_link="l", document_hash="h")[0] == "ok"
    assert send(ledger, STRANGER, "create_twin", relay=None, pk=None)[0] == "ok"
    assert send(ledger, STRANGER, "create_twin", relay=None, pk=None)[0] == "TwinWithPubkeyExists"
    assert send(ledger, STRANGER, "create_farm", name="mine", public_ips=[])[0] == "ok"
    node = {"farm_id": 3, "interfaces": [], "resources": {}, "location": {}, "serial_number": None}
    assert send(ledger, STRANGER, "create_node", **node)[0] == "ok"
    assert send(ledger, STRANGER, "create_node", **node)[0] == "NodeWithTwinIdExists"
    assert ledger.read("NodesByFarmID", 3) == (2,)


class TestThePool:
    def submit(self, ledger: Ledger, nonce: int, account: bytes = NODE, dies_after: int | None = None) -> Extrinsic:
        extrinsic = Extrinsic(account, nonce, "report_uptime", {"uptime": 1}, dies_after=dies_after)
        ledger.submit(extrinsic, START_S)
        return extrinsic

    def test_a_used_nonce_is_stale(self, ledger: Ledger) -> None:
        send(ledger, NODE, "report_uptime", uptime=1)
        with pytest.raises(InvalidTransaction, match="stale"):
            self.submit(ledger, 0)

    def test_a_future_nonce_waits_for_those_before_it(self, ledger: Ledger) -> None:
        later = self.submit(ledger, 1)
        first = ledger.produce(START_S + 6)
        assert first is not None
        assert first.extrinsics == []
        sooner = self.submit(ledger, 0)
        second = ledger.produce(START_S + 12)
        assert second is not None
        assert second.extrinsics == [sooner, later]

    def test_an_extrinsic_of_an_account_without_money_is_refused(self, ledger: Ledger) -> None:
        with pytest.raises(InvalidTransaction, match="payment"):
            self.submit(ledger, 0, STRANGER)

    def test_one_whose_era_is_over_leaves_the_pool(self, ledger: Ledger) -> None:
        self.submit(ledger, 1, dies_after=1)
        ledger.produce(START_S + 6)
        assert list(ledger.pending())
        ledger.produce(START_S + 12)
        assert not list(ledger.pending())

    def test_the_next_nonce_counts_the_pool(self, ledger: Ledger) -> None:
        self.submit(ledger, 0)
        assert ledger.next_nonce(NODE) == 1

    def test_lost_and_refused_on_request(self, ledger: Ledger) -> None:
        ledger.lose_next = 1
        self.submit(ledger, 0)
        assert not list(ledger.pending())
        ledger.refuse_next = "payment"
        with pytest.raises(InvalidTransaction, match="payment"):
            self.submit(ledger, 0)
        assert self.submit(ledger, 0) in list(ledger.pending())


class TestBlocks:
    def test_finality_lags_behind(self, ledger: Ledger) -> None:
        for number in range(1, 6):
            ledger.produce(START_S + 6 * number)
            assert ledger.finalized.number == max(0, number - 2)

    def test_finality_can_be_held(self, ledger: Ledger) -> None:
        ledger.hold_finality = True
        for number in range(1, 6):
            ledger.produce(START_S + 6 * number)
        assert ledger.finalized.number == 0

    def test_blocks_can_be_held(self, ledger: Ledger) -> None:
        ledger.hold_blocks = True
        assert ledger.produce(START_S + 6) is None

    def test_time_never_goes_back(self, ledger: Ledger) -> None:
        first = ledger.produce(START_S + 6)
        second = ledger.produce(START_S)
        assert first is not None
        assert second is not None
        assert second.time_ms > first.time_ms

    def test_block_time_zero_makes_a_final_block_of_every_extrinsic(self) -> None:
        ledger = Ledger(START_S, block_time_s=0)
        add_farm(ledger, FARMER, [NODE])
        ledger.submit(Extrinsic(NODE, 0, "change_power_state", {"power_state": "Down"}), START_S + 1)
        assert ledger.best_number == ledger.finalized_number == 1

    def test_storage_is_read_as_of_any_block(self, ledger: Ledger) -> None:
        send(ledger, NODE, "change_power_state", power_state="Down")
        send(ledger, NODE, "change_power_state", power_state="Up")
        assert [ledger.read("NodePower", 1, at) for at in (0, 1, 2)] == [None, StoredPower(1), StoredPower(None)]

    def test_a_reorganisation_undoes_storage_and_nonces_and_gives_the_extrinsics_back(self, ledger: Ledger) -> None:
        _, undone = send(ledger, NODE, "change_power_state", power_state="Down")
        ledger.reorganise(1)
        assert ledger.read("NodePower", 1) is None
        assert ledger.by_hash(undone.hash) is None
        again = ledger.produce(START_S + 60)
        assert again is not None
        assert again.hash != undone.hash
        assert ledger.read("NodePower", 1) == StoredPower(1)

    def test_a_reorganisation_may_lose_them(self, ledger: Ledger) -> None:
        send(ledger, NODE, "change_power_state", power_state="Down")
        ledger.reorganise(1, lose=True)
        ledger.produce(START_S + 60)
        assert ledger.read("NodePower", 1) is None
        assert ledger.next_nonce(NODE) == 0

    def test_what_was_set_by_decree_is_not_taken_back(self, ledger: Ledger) -> None:
        record = ledger.read("Nodes", 1)
        for number in range(1, 8):
            ledger.produce(START_S + 6 * number)
            ledger.force_storage("Nodes", 1, {**record, "resources": number})
        ledger.reorganise(2)
        ledger.reorganise(1)
        assert ledger.best_number == ledger.finalized_number == 5
        for number in range(6, 12):
            ledger.produce(START_S + 6 * number)
        assert ledger.read("Nodes", 1)["resources"] == 7

    def test_a_decree_that_is_final_is_older_than_what_came_behind_it(self, ledger: Ledger) -> None:
        ledger.produce(START_S + 6)
        ledger.force_storage("NodePower", 1, StoredPower(None, "Down"))
        ledger.produce(START_S + 12)
        send(ledger, NODE, "change_power_state", power_state="Down")
        for number in range(4, 8):
            ledger.produce(START_S + 6 * number)
        ledger.reorganise(100)
        assert ledger.read("NodePower", 1) == StoredPower(3, "Down")

    def test_what_is_final_is_never_undone(self, ledger: Ledger) -> None:
        for number in range(1, 6):
            ledger.produce(START_S + 6 * number)
        ledger.reorganise(100)
        assert ledger.best_number == ledger.finalized_number == 3

    def test_old_blocks_are_forgotten_and_their_values_kept(self, ledger: Ledger) -> None:
        send(ledger, NODE, "change_power_state", power_state="Down")
        for number in range(2, 4200):
            ledger.produce(START_S + 6 * number)
        assert ledger.block(1) is None
        assert ledger.block(4199) is not None
        assert ledger.read("NodePower", 1) == StoredPower(1)


def test_powers_in_the_domains_words_follow_writes_and_forks(ledger: Ledger) -> None:
    ledger.force_storage("NodePower", 1, StoredPower(None, "Down"))
    powers = NodePowers(ledger)
    ledger.produce(10.0)
    ledger.store.write("NodePower", 1, StoredPower(1, "Down"), 1)
    ledger.store.write("NodePower", 2, StoredPower(1, "Up"), 1)
    assert powers.best([NodeId(1), NodeId(2), NodeId(3)]) == {
        1: node_power_of(StoredPower(1, "Down")),
        2: node_power_of(StoredPower(1, "Up")),
        3: node_power_of(StoredPower()),
    }
    final = {
        1: node_power_of(StoredPower(None, "Down")),
        2: node_power_of(StoredPower()),
    }
    assert powers.finalized([NodeId(1), NodeId(2)]) == final
    ledger.reorganise(1)
    assert powers.best([NodeId(1), NodeId(2)]) == final
