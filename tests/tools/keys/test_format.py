"""An API key's text."""

import zlib

import pytest

from tools.ids import base62
from tools.keys import format as keys


def test_a_minted_key_has_the_published_shape_and_parses_back() -> None:
    key = keys.mint()

    assert len(key.text) == len("adw_live_") + 12 + 1 + 32 + 6
    assert key.text.startswith(f"adw_live_{key.lookup}_")
    assert keys.parse(key.text) == key
    assert key.prefix == f"adw_live_{key.lookup}"


def test_the_last_six_characters_are_the_crc32_of_what_stands_before_them() -> None:
    text = keys.mint().text

    assert text[-6:] == base62(zlib.crc32(text[:-6].encode()), 6)


def test_every_mistyped_character_is_noticed_without_a_database() -> None:
    text = keys.mint().text

    for at in range(len("adw_live_"), len(text)):
        other = "A" if text[at] != "A" else "B"
        assert keys.parse(text[:at] + other + text[at + 1 :]) is None


@pytest.mark.parametrize(
    "text", ["", "adw_live_", "adw_live_abc", "sk_live_x", "adw_live_" + "é" * 12 + "_" + "x" * 38]
)
def test_what_is_no_key_at_all_does_not_parse(text: str) -> None:
    assert keys.parse(text) is None


def test_a_key_with_a_line_break_behind_it_does_not_parse() -> None:
    assert keys.parse(keys.mint().text + "\n") is None


def test_a_key_opens_its_own_hash_and_no_other() -> None:
    key, other = keys.mint(), keys.mint()

    assert key.opens(key.hash)
    assert not key.opens(other.hash)
    assert not key.opens(None)


def test_the_repr_of_a_key_does_not_show_it() -> None:
    key = keys.mint()

    assert key.text not in repr(key)
