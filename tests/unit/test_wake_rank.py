"""R7: whose turn it is to call a sleeper first: the same answer on every node, and fair."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.model import NodeId, NodePower, Power, PowerState, Unreadable
from app.domain.rules.wake import Wake
from app.domain.rules.wake_rank import WakeOrderPolicy, order, rank, wakers_among
from app.domain.services.waking.wake_order import WakeOrder

UP, DOWN = PowerState(Power.UP), PowerState(Power.DOWN, 5)
AWAKE = NodePower(UP, Power.UP)
ids = st.integers(1, 2**32 - 1).map(NodeId)
wakers_of_a_farm = st.sets(ids, min_size=2, max_size=40)
POLICY = WakeOrderPolicy(first_wakers=3, stagger_s=120.0)


def nodes(*numbers: int) -> list[NodeId]:
    return [NodeId(number) for number in numbers]


def test_the_order_is_fixed_for_ever_since_nodes_of_two_releases_must_agree() -> None:
    assert order(NodeId(31), nodes(*range(1, 11))) == nodes(7, 8, 9, 10, 4, 6, 5, 1, 2, 3)


@given(wakers_of_a_farm, ids)
def test_every_node_computes_the_same_order_whatever_order_it_knows_the_others_in(
    wakers: set[NodeId], target: NodeId
) -> None:
    expected = order(target, sorted(wakers))
    assert order(target, sorted(wakers, reverse=True)) == expected
    places = {own: rank(own, target, wakers - {own}, at_most=100) for own in wakers - {target}}
    without_target = [node for node in expected if node != target]
    assert [places[node] for node in without_target] == list(range(len(without_target)))


@given(wakers_of_a_farm, ids, st.data())
def test_a_waker_that_goes_changes_nothing_in_the_order_of_the_others(
    wakers: set[NodeId], target: NodeId, data: st.DataObject
) -> None:
    gone = data.draw(st.sampled_from(sorted(wakers)))
    assert order(target, wakers - {gone}) == [node for node in order(target, wakers) if node != gone]


def test_the_turns_are_spread_fairly_over_the_wakers_of_many_targets() -> None:
    wakers = nodes(*range(1, 31))
    first = Counter(node for target in range(100, 3100) for node in order(NodeId(target), wakers)[:3])
    assert len(first) == 30
    assert 220 < min(first.values()) <= max(first.values()) < 380, "300 each, if it were even"


def test_a_place_is_counted_no_further_than_it_matters() -> None:
    wakers = nodes(*range(1, 101))
    last = order(NodeId(500), wakers)[-1]
    assert rank(last, NodeId(500), wakers, at_most=6) == 6
    assert rank(last, NodeId(500), wakers, at_most=1000) == 99


@pytest.mark.parametrize(
    ("where", "delay_s"), [(0, 0.0), (2, 0.0), (3, 120.0), (5, 120.0), (6, 240.0), (10_000, 240.0)]
)
def test_the_first_call_at_once_the_next_after_a_step_and_all_others_after_two(where: int, delay_s: float) -> None:
    assert POLICY.delay_s(where) == delay_s <= POLICY.delay_s_max


def test_without_first_wakers_no_waker_waits() -> None:
    assert replace(POLICY, first_wakers=0).delay_s(10_000) == 0.0


@pytest.mark.parametrize(
    ("power", "counts"),
    [
        (AWAKE, True),
        (NodePower(UP, Power.DOWN), False),
        (NodePower(DOWN, Power.UP), False),
        (NodePower(DOWN, Power.DOWN), False),
        (Unreadable("neither flag"), False),
    ],
)
def test_only_a_node_that_is_up_and_wanted_up_counts_as_a_waker(power: NodePower | Unreadable, counts: bool) -> None:
    assert (NodeId(1) in wakers_among({NodeId(1): power})) is counts


class TestTurns:
    OWN = NodeId(3)
    TARGET = NodeId(31)
    """Node 3 is the last of nodes 1 to 10 for it, see above."""
    WAKE = Wake(TARGET, "test", 0.0, 0.0, 0.0, saw_down=True)

    def known(self) -> WakeOrder:
        known = WakeOrder(self.OWN, POLICY)
        known.saw_all(dict.fromkeys(nodes(1, 2, *range(4, 11)), AWAKE))
        return known

    def test_a_waker_that_knows_no_other_does_not_wait(self) -> None:
        assert WakeOrder(self.OWN, POLICY).turn_s(self.WAKE) == 0

    def test_who_stands_last_waits_longest_and_less_as_others_go(self) -> None:
        known = self.known()
        assert known.turn_s(self.WAKE) == 240
        known.saw(dict.fromkeys(nodes(7, 8, 9, 10), Unreadable("neither flag")))
        assert known.turn_s(self.WAKE) == 120
        known.saw_all(dict.fromkeys(nodes(1, 2), AWAKE))
        assert known.turn_s(self.WAKE) == 0

    def test_a_node_that_is_wanted_down_does_not_wait(self) -> None:
        known = self.known()
        known.saw_own(NodePower(UP, Power.DOWN))
        known.saw_own(Unreadable("neither flag"))
        assert known.turn_s(self.WAKE) == 0
        assert known.turn_s(replace(self.WAKE, saw_down=False)) == 240, "it may be awake"
        known.saw_own(AWAKE)
        assert known.turn_s(self.WAKE) == 240
