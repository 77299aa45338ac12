"""The text of a share token and the keeping of its password."""

from tools.pixel.format import PREFIX, hash_password, mint, password_opens
from tools.redaction import redact


def test_a_token_is_masked_wherever_text_is_cleaned_and_shows_nothing_by_itself() -> None:
    token = mint()

    assert token.text.startswith(PREFIX)
    assert token.text not in repr(token)
    assert token.text not in redact(f"opened /share?t={token.text}")
    assert token.text.startswith(token.prefix)
    assert len(token.text) - len(token.prefix) == 32
    assert len(token.hash) == 64


def test_a_password_is_salted_and_opens_only_with_itself() -> None:
    first, second = hash_password("Pässwörd 1"), hash_password("Pässwörd 1")

    assert first != second
    assert first.startswith("scrypt$14$8$5$")
    assert password_opens("Pässwörd 1", first)
    assert not password_opens("Pässwörd 2", first)


def test_a_hash_of_an_older_cost_still_opens() -> None:
    older = "scrypt$10$8$1$c2FsdHNhbHRzYWx0c2FsdA==$2gV1Saq1veWCmUrAr3eg1d3SuEa+b//BbFvqkR85zk4="

    assert password_opens("old password", older)
