"""How calls leave this machine."""

from urllib.parse import quote

import pytest

from server.platforms.meta.errors import Effect
from server.platforms.meta.wire import Call, proof, proxy_for
from tools.secret import Secret


def test_the_proof_is_metas_published_construction() -> None:
    """HMAC-SHA256 as of RFC 4231, test case 2: key "Jefe"."""
    made = proof(Secret("Jefe"), Secret("what do ya want for nothing?"))
    assert made.reveal() == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


@pytest.mark.parametrize(
    ("token", "answer"), [("EAAB|x/yz", b'{"code":190,"next":"t=***&u=***"}'), ("0", b'{"code":190,"next":"t=0&u=0"}')]
)
def test_an_answer_loses_its_token_but_never_its_shape(token: str, answer: bytes) -> None:
    call = Call("GET", "me", {}, Effect.READ, "con_1", Secret(token), {})

    assert call.clean(b'{"code":190,"next":"t=%b&u=%b"}' % (token.encode(), quote(token, safe="").encode())) == answer


def test_an_egress_proxy_of_the_environment_is_used_but_not_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.test:3128")
    monkeypatch.setenv("http_proxy", "http://proxy.test:3128")
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    assert proxy_for("https://graph.facebook.com") == "http://proxy.test:3128"
    assert proxy_for("http://127.0.0.1:8000/meta") is None
