"""The chain library with types that are made once, and without documentation."""

from __future__ import annotations

from app.adapters.substrate.library import DOCS, ScaleBytes, Types, load_type_registry_preset


def types() -> Types:
    made = Types(implements_scale_info=True)
    made.update_type_registry(load_type_registry_preset("core"))
    return made


def test_a_type_is_made_once() -> None:
    ours = types()
    for name in ("Vec<u32>", "(u8, u16)", "[u8; 4]"):
        assert ours.get_decoder_class(name) is ours.get_decoder_class(name)
    assert ours.create_scale_object("Vec<u32>", ScaleBytes("0x0801000000ff000000")).decode() == [1, 255]


def test_two_registries_share_none() -> None:
    assert types().get_decoder_class("Vec<u32>") is not types().get_decoder_class("Vec<u32>")


def test_a_type_that_is_registered_again_is_made_again() -> None:
    ours = types()
    assert ours.create_scale_object("(u8, u8)", ScaleBytes("0x0102")).decode() == (1, 2)
    ours.update_type_registry_types({"(u8, u8)": "u16"})
    assert ours.create_scale_object("(u8, u8)", ScaleBytes("0x0102")).decode() == 0x0201
    ours.clear_type_registry()
    assert ours.create_scale_object("(u8, u8)", ScaleBytes("0x0102")).decode() == (1, 2)


def test_documentation_is_passed_over() -> None:
    ours = types()
    variants = [{"name": name, "fields": [], "index": 7, "docs": ["It is so.", ""] * 40} for name in ("Up", "Down")]
    data = ours.create_scale_object("Vec<Variant>").encode(variants)
    read = ours.create_scale_object("Vec<Variant>", data).decode()
    assert [(each["name"], each["index"], each["docs"]) for each in read] == [("Up", 7, []), ("Down", 7, [])]


def test_all_documentation_of_metadata_is_lines_of_text() -> None:
    definitions = [each for each in load_type_registry_preset("core")["types"].values() if isinstance(each, dict)]
    fields = [field for each in definitions if each["type"] == "struct" for field in each["type_mapping"]]
    assert {kind for name, kind in fields if name in DOCS} == {"Vec<Text>", "Vec<String>"}
