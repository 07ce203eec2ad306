"""Keys as they are kept."""

import pytest

from core.key_hash import hashed, is_key


def test_only_the_key_itself_is_known_again_and_its_hash_differs_each_time() -> None:
    kept = hashed("a-key")
    assert is_key("a-key", kept)
    assert not is_key("another", kept)
    assert hashed("a-key") != kept


def test_a_hash_of_yesterday_is_known_today() -> None:
    """Other costs or another salt would lock everybody out."""
    assert is_key(
        "a-key",
        "scrypt$fc83c5c98117d7cb1870b7786e927cdd$814e5578e64f3e774958b14bb40c339b4d06742f1117172ae64117f0fab3a6b5df08e639fb129649dec8a150c2224d484da1f65f927447a1292febaa45d7815c",
    )
    kind, salt, digest = hashed("a-key").split("$")
    assert (kind, len(salt), len(digest)) == ("scrypt", 32, 128)


def test_a_hash_of_another_kind_is_no_key() -> None:
    assert not is_key("a-key", hashed("a-key").replace("scrypt", "md5"))
    with pytest.raises(ValueError, match="not enough values"):
        is_key("a-key", "a-key")


def test_a_key_of_bytes_that_are_no_text_is_a_key() -> None:
    """Headers reach us as latin-1 or with surrogates."""
    assert is_key("k\udce9y", hashed("k\udce9y"))
