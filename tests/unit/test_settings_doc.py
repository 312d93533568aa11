"""docs/configuration.md says what the settings are now, each with a meaning."""

from __future__ import annotations

from pathlib import Path

from app.entrypoints.documents.settings import document
from app.entrypoints.settings.keys import keys

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == document(), "run python -m app.entrypoints.documents.settings"


def test_every_key_is_there_with_its_meaning() -> None:
    for key in keys().values():
        descriptions = [meta.description for meta in key.metas if meta.description]
        assert descriptions, key.path
        assert f"`{key.variable}`" in document()


def test_limits_and_choices_are_documented() -> None:
    (era,) = (line for line in document().splitlines() if line.startswith("| `era_blocks`"))
    assert "At least 4. At most 4096." in era
    (level,) = (line for line in document().splitlines() if line.startswith("| `level`"))
    assert "One of `debug`, `info`, `warning`, `error`." in level
