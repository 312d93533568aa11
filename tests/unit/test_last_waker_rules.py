"""The last-waker guard: which peers count as awake, row by row."""

from __future__ import annotations

import pytest

from app.domain.model import NodeId, NodePower, Power, PowerState, Unreadable
from app.domain.rules.last_waker import NEVER_S, USUAL_GAP_S, fresh_among, heard_now

ONE, TWO = NodeId(1), NodeId(2)
UP, DOWN = Power.UP, Power.DOWN


@pytest.mark.parametrize(
    ("power", "awake"),
    [
        (NodePower(PowerState(UP), UP), True),
        (NodePower(PowerState(DOWN, 5), UP), False),
        (NodePower(PowerState(UP), DOWN), False),
        (NodePower(PowerState(DOWN, 5), DOWN), False),
        (Unreadable("torn"), False),
    ],
)
def test_only_a_node_that_is_up_and_wanted_up_counts(power: NodePower | Unreadable, awake: bool) -> None:
    assert power.awake is awake


def test_a_counter_seen_for_the_first_time_is_no_sign() -> None:
    heard_s = heard_now({}, {ONE: 7}, 1000, NEVER_S)
    assert heard_s == {ONE: NEVER_S}
    assert fresh_among([ONE], heard_s, 1000, 2700) == []


def test_a_counter_that_changed_is_a_sign_from_now_and_one_that_did_not_is_none() -> None:
    assert heard_now({ONE: 7, TWO: 9}, {ONE: 8, TWO: 9}, 1000, 700) == {ONE: 1000}


def test_a_change_seen_after_a_long_time_may_be_as_old_as_the_look_before() -> None:
    looked_at_s = 5000 - USUAL_GAP_S - 1
    assert heard_now({ONE: 7}, {ONE: 8}, 5000, looked_at_s) == {ONE: looked_at_s}


def test_a_node_that_is_missing_in_this_answer_gave_no_sign() -> None:
    assert heard_now({ONE: 7}, {}, 1000, 700) == {}


def test_a_sign_is_fresh_for_its_time() -> None:
    assert fresh_among([ONE, TWO], {ONE: 1000}, 3699, 2700) == [ONE]
    assert fresh_among([ONE, TWO], {ONE: 1000}, 3700, 2700) == []
