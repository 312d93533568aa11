"""R14: which nodes of a farm could be lost in their sleep, by what the chain shows."""

from __future__ import annotations

import pytest

from app.domain.model import FarmId, Mac, Node, NodeId, NodePower, Power, PowerState, TwinId, Unreadable
from app.domain.rules.farm_risk import (
    UNKNOWN,
    Member,
    SignAge,
    Wakers,
    is_awake,
    objections,
    risk,
    state_of,
    unwakeable,
    wakers,
)

FRESH_S = 2700.0
UP, DOWN = Power.UP, Power.DOWN
FRESH, SILENT = SignAge(60.0, 300.0), SignAge(FRESH_S, None)
UNTOLD = SignAge(1440.0, None)
BROKEN = Unreadable("broken")


def member(
    number: int,
    target: Power = UP,
    state: Power = UP,
    *,
    sign: SignAge = FRESH,
    mac: str = "02:00:00:00:00:01",
    contracts: int | None = 0,
) -> Member:
    node = NodeId(number)
    record = Node(node, FarmId(1), TwinId(number), Mac.parse(mac) if mac else None, "" if mac else "no MAC")
    return Member(node, record, NodePower(PowerState(state, 7 if state is DOWN else None), target), sign, contracts)


def of(*members: Member) -> dict[NodeId, Member]:
    return {each.id: each for each in members}


@pytest.mark.parametrize(
    ("seen", "awake"),
    [
        (member(1), True),
        (member(1, sign=UNKNOWN), True),
        (member(1, sign=SignAge(2400.0, None)), True),
        (member(1, sign=SILENT), False),
        (member(1, sign=SignAge(5400.0, 9000.0)), False),
        (member(1, target=DOWN), False),
        (member(1, state=DOWN), False),
        (Member(NodeId(1), member(1).record, BROKEN), False),
        (Member(NodeId(1), BROKEN, member(1).power), False),
    ],
)
def test_awake_is_up_wanted_up_and_not_known_to_be_silent(seen: Member, awake: bool) -> None:
    assert is_awake(seen, FRESH_S) is awake


@pytest.mark.parametrize(
    ("seen", "others", "reason"),
    [
        (member(1), [], ""),
        (member(1, DOWN, DOWN), [member(2)], ""),
        (member(1, DOWN, DOWN), [member(2, DOWN), member(3, UP, DOWN), member(4, sign=SILENT)], "no node of its farm"),
        (member(1, DOWN, DOWN), [member(2, sign=UNTOLD), member(3, sign=SILENT)], "does not show when node 2 gave"),
        (member(1, DOWN, DOWN), [member(2, sign=UNTOLD), member(3)], ""),
        (member(1, DOWN, DOWN), [member(2, sign=SignAge(1440.0, None, whole=True))], ""),
        (member(1, UP, DOWN), [], "no node of its farm is awake"),
        (member(1, UP, DOWN), [member(2)], "wanted up, and still asleep"),
        (member(1, sign=SILENT), [member(2)], "no sign of life for 45 min, though its state is Up"),
        (member(1, mac=""), [member(2)], "no node can wake it: no MAC"),
        (
            Member(NodeId(1), BROKEN, member(1).power),
            [member(2)],
            "its peers may not know its address: broken",
        ),
        (Member(NodeId(1), member(1).record, BROKEN), [member(2)], "its power can't be read: broken"),
    ],
)
def test_a_node_is_at_risk_that_may_not_come_up_when_it_is_wanted(
    seen: Member, others: list[Member], reason: str
) -> None:
    told = risk(seen, [seen, *others], FRESH_S)
    assert reason in told
    assert bool(reason) is bool(told)


@pytest.mark.parametrize(
    ("down", "farm", "reasons"),
    [
        ([1], of(member(1), member(2)), []),
        ([1, 2], of(member(1), member(2)), ["no other node of the farm would be awake"]),
        ([1], of(member(1), member(2, DOWN, DOWN)), ["no other node"]),
        ([1], of(member(1), member(2, sign=SILENT)), ["no other node"]),
        ([1], of(member(1), member(2, sign=UNTOLD)), ["it is not certain that another node"]),
        ([1], of(member(1), member(2, sign=UNTOLD), member(3)), []),
        (
            [1],
            of(member(1), *(member(node, sign=UNKNOWN) for node in range(2, 13))),
            ["nodes 2, 3, 4, 5, 6, 7, 8, 9 and 3 more gave"],
        ),
        ([1], of(member(1)), ["node 1 is the farm's only node"]),
        ([1], of(member(1, contracts=1), member(2)), ["node 1 has an active contract:"]),
        ([1], of(member(1, contracts=3), member(2)), ["node 1 has 3 active contracts:"]),
        ([1], of(member(1, contracts=None), member(2)), ["whether node 1 has active contracts can't be read"]),
        ([1], of(member(1, mac=""), member(2, contracts=1)), ["node 1: no node can wake it: no MAC"]),
    ],
)
def test_what_speaks_against_a_down(down: list[int], farm: dict[NodeId, Member], reasons: list[str]) -> None:
    told = list(objections([NodeId(node) for node in down], farm, FRESH_S))
    assert len(told) == len(reasons)
    for text, reason in zip(told, reasons, strict=True):
        assert reason in text


def test_a_broken_record_is_doubt_and_a_missing_address_is_certain() -> None:
    assert unwakeable(Member(NodeId(1), BROKEN, BROKEN)) == ""
    assert unwakeable(member(1)) == ""
    assert "no MAC" in unwakeable(member(1, mac=""))


def test_a_state_that_cannot_be_read_is_none() -> None:
    assert state_of(Member(NodeId(1), BROKEN, BROKEN)) is None
    assert state_of(member(1, state=DOWN)) is DOWN


@pytest.mark.parametrize(
    ("seen", "others", "who"),
    [
        (
            member(1, DOWN, DOWN),
            [member(2), member(3, sign=UNTOLD), member(4, sign=SILENT)],
            Wakers([NodeId(2)], [NodeId(3)]),
        ),
        (member(1), [member(2, DOWN), member(3, UP, DOWN)], Wakers([], [])),
        (member(1, DOWN, DOWN, mac=""), [member(2)], Wakers()),
    ],
)
def test_who_could_wake_a_node_is_awake_itself_and_no_other(seen: Member, others: list[Member], who: Wakers) -> None:
    assert wakers(seen, [seen, *others], FRESH_S) == who
