"""docs/zbus.md says what is served now."""

from __future__ import annotations

from pathlib import Path

from app.entrypoints.zbus_doc import FIELDS, TYPES, document

PAGE = Path(__file__).parents[2] / "docs" / "zbus.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == document(), "run python -m app.entrypoints.zbus_doc"


def test_every_field_is_explained_and_no_other() -> None:
    assert set(FIELDS) == {f"{struct.name}.{name}" for struct in TYPES for name, _ in struct.fields}


def test_every_type_that_is_named_is_there() -> None:
    for line in (
        "State() (State, error)",
        "Wake(node uint32) error",
        "Happenings(ctx context.Context) <-chan Happening",
    ):
        assert line in document()
