"""What the resource of metrics says of web analytics is what the pipes say of themselves, to whoever may ask them."""

from tests.app import Caller, Product
from tests.faces.faces import handshake
from tools.pipes import PIPE_ALLOWLIST


async def defined(caller: Caller) -> str:
    answer = await handshake(caller.http, "resources/read", {"uri": "adwright://metrics"})
    (content,) = answer["result"]["contents"]
    return str(content["text"])


async def test_every_pipe_is_in_the_resource_with_what_it_answers(product: Product) -> None:
    told = await defined(await product.key(["analytics:read"]))

    assert told.startswith("# Metric definitions")
    assert all(f"| `{pipe}` | " in told for pipe in PIPE_ALLOWLIST)
    assert "p_internal" not in told


async def test_without_the_scope_there_is_the_rest(product: Product) -> None:
    told = await defined(await product.key(["ads:read"]))

    assert told.startswith("# Metric definitions")
    assert "Web analytics" not in told
