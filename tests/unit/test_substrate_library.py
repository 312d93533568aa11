"""The chain library without what powerd does not use, and with types that are made once."""

from __future__ import annotations

from app.adapters.substrate.library import ScaleBytes, Types, load_type_registry_preset


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
