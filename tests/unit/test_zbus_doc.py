"""docs/zbus.md says what is served now."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from app.adapters.codecs.go_types import UINT32, UINT64
from app.adapters.telemetry.sentences import fact_names, line_of
from app.adapters.zbus.server import Served
from app.domain.events import DomainEvent
from app.entrypoints.documents.zbus import FIELDS, FOLLOWERS, arguments, document, types
from tests.contracts.samples import DOMAIN_EVENTS

WIRE: Mapping[str, list[str]] = {
    "EventsHandled": ["deliveries", "nodes"],
    "EventDeadLettered": ["delivery", "reason"],
    "WakeBurstStarted": ["node", "attempt", "reason"],
    "WakeDeferred": ["node", "for_s"],
    "WakeEnded": ["node", "attempts", "outcome", "took_s"],
    "PowerStateSet": ["power", "block_hash", "block_number"],
    "UptimeReported": ["uptime_s", "taken_at_s", "block_hash", "block_number"],
    "UptimeSkipped": ["problems"],
    "ShutdownStep": ["step"],
    "ShutdownAborted": ["step", "reason"],
    "StayingUp": ["reason"],
    "WakeProved": ["booted_at_s"],
    "AlarmLeft": ["due_in_s"],
    "PowerUnreadable": ["reason"],
    "PowerOffDecided": [
        "target",
        "target_block",
        "target_seen_since",
        "down_block",
        "guards_passed",
        "holds",
        "woken_by",
    ],
    "RebootDecided": [
        "target",
        "target_block",
        "uncredited_since",
        "called_up_at",
        "boot_by",
        "guards_passed",
        "holds",
    ],
    "PowerOffOrdered": ["forced"],
    "RebootOrdered": ["forced"],
    "Reconciled": ["trigger"],
    "OperationFailed": ["doing", "error", "retry_in_s"],
    "FaultRaised": ["key", "message"],
    "FaultCleared": ["key"],
}
"""What clients of the event stream rely on. A class or field that is renamed must not change it: other
programs would not hear of that event any more, without a word. New kinds and facts may be added."""

PAGE = Path(__file__).parents[2] / "docs" / "zbus.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == document(), "run python -m app.entrypoints.documents.zbus"


def test_every_field_is_explained_and_no_other() -> None:
    assert set(FIELDS) == {f"{struct.name}.{name}" for struct in types() for name, _ in struct.fields}


def test_arguments_have_the_names_of_the_function() -> None:
    async def wait_for(node: int, longest_s: int) -> None: ...

    assert arguments(Served((UINT32, UINT64), None, wait_for)) == "node uint32, longestS uint64"


def test_every_type_that_is_named_is_there() -> None:
    for line in (
        "State() (State, error)",
        "Wake(node uint32) error",
        "DomainEvents(ctx context.Context) <-chan DomainEvent",
    ):
        assert line in document()


def test_the_kinds_of_the_event_stream_and_their_facts_are_what_clients_know() -> None:
    published = [event for event in DOMAIN_EVENTS if type(event) not in FOLLOWERS]
    lines = [line_of(event) for event in published]
    assert {line.event: list(line.fields) for line in lines} == WIRE


def test_the_page_lists_every_kind_with_its_facts() -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| (.+) \|$", document(), re.MULTILINE)
    assert {kind: re.findall(r"`(\w+)`", facts) for kind, facts in rows} == WIRE


@pytest.mark.parametrize("event", DOMAIN_EVENTS, ids=lambda event: type(event).__name__)
def test_the_facts_of_a_kind_are_known_without_an_instance(event: DomainEvent) -> None:
    assert list(fact_names(type(event))) == list(line_of(event).fields)


def test_the_go_code_is_aligned_as_gofmt_does_it() -> None:
    """Within neighbouring lines that have a comment, all comments stand one blank after the longest type."""
    (code,) = re.findall(r"```go\n(.*?)```", document(), re.DOTALL)
    assert "    " not in re.sub(r"(?<=\S) +", " ", code), "indentation by tabs"
    for struct in re.findall(r"^type \w+ struct \{\n(.*?)^\}", code, re.MULTILINE | re.DOTALL):
        for block in re.findall(r"(?:^.* // .*\n)+", struct, re.MULTILINE):
            before = [line.partition(" // ")[0] for line in block.splitlines()]
            assert len({len(text) for text in before}) == 1
            assert any(not text.endswith(" ") for text in before)
