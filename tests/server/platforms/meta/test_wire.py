"""What a call carries, and what its answer loses."""

from urllib.parse import quote

import pytest

from server.platforms.exchange import Effect
from server.platforms.meta.wire import Call, proof
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
