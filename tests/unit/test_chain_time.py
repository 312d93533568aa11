"""The chain's time in api-gateway's answers, whose Go library reads milliseconds as seconds."""

from __future__ import annotations

import math

import pytest

from app.adapters.codecs.go_types import NANOSECONDS
from app.adapters.zbus.chain_time import ChainTime, GatewayTime
from app.domain.model import Head, HeadKind
from app.entrypoints.neighbours.gateway import TIMES

BLOCK_S = 1_700_000_000


def told(time: ChainTime, answer_ns: int, at_s: float) -> GatewayTime:
    return time.read(answer_ns, asked_at_s=at_s, now_s=at_s)


@pytest.mark.parametrize("how", sorted(TIMES))
@pytest.mark.parametrize("millisecond", [0, 1, 147, 500, 998, 999])
def test_the_time_of_the_block_is_one_of_those_an_answer_stands_for(how: str, millisecond: int) -> None:
    """R6, R8: whether the library is fixed or not."""
    time_s = BLOCK_S + millisecond / 1000
    answer = told(ChainTime(), TIMES[how](BLOCK_S * 1000 + millisecond), 0.0)
    head = Head(HeadKind.BEST, None, "", answer.time_s, answer.uncertainty_s)
    assert abs(head.off_by_s(time_s)) < 1
    assert head.off_by_s(time_s + 1061) > 60
    assert head.off_by_s(time_s - 1061) < -60


def test_the_recorded_mistake_is_made_by_the_stand_in() -> None:
    assert TIMES["go"](BLOCK_S * 1000 + 147) == (BLOCK_S + 147) * NANOSECONDS


def test_an_answer_with_a_fraction_is_exact() -> None:
    assert told(ChainTime(), 1_500_000_000, 0.0) == GatewayTime(1.5, 0.0, None)


def test_a_block_is_as_old_as_the_last_look_that_had_another() -> None:
    time = ChainTime()
    assert told(time, 5 * NANOSECONDS, 100.0).seen_s_max == math.inf, "there was no look before"
    assert told(time, 5 * NANOSECONDS, 110.0).seen_s_max == math.inf, "it has not moved"
    assert told(time, 900 * NANOSECONDS, 120.0).seen_s_max == 10
    assert told(time, 900 * NANOSECONDS, 170.0).seen_s_max == 60, "it stands still"
    assert told(time, 7 * NANOSECONDS, 180.0).seen_s_max == 10


def test_the_waiting_for_an_answer_counts_for_its_age() -> None:
    time = ChainTime()
    time.read(5 * NANOSECONDS, asked_at_s=100.0, now_s=120.0)
    assert time.read(6 * NANOSECONDS, asked_at_s=121.0, now_s=140.0).seen_s_max == 40


def test_a_gateway_that_goes_back_to_an_endpoint_that_stands_still_is_seen_through() -> None:
    time = ChainTime()
    for number in range(30):
        told(time, (1000 + number) * NANOSECONDS, number * 10.0)
    standing = told(time, 1_000_000 * NANOSECONDS, 300.0)
    moving = told(time, 2_000_000 * NANOSECONDS, 310.0)
    again = told(time, 1_000_000 * NANOSECONDS, 400.0)
    assert (standing.seen_s_max, moving.seen_s_max, again.seen_s_max) == (10, 10, 110)
