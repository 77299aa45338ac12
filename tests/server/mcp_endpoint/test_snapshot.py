"""The snapshot says what the server itself would say."""

from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

from server.mcp_endpoint.snapshot import SURFACES, build
from server.version import VERSION
from tools.capability import Toolset


def test_it_holds_every_list_of_every_surface_in_both_eras_and_a_handshake_for_each_version() -> None:
    snapshot = build()

    assert tuple(snapshot["initialize"]) == HANDSHAKE_PROTOCOL_VERSIONS
    for version, result in snapshot["initialize"].items():
        assert (result["protocolVersion"], result["serverInfo"]["version"]) == (version, VERSION)
    for era in ("handshake", "modern"):
        assert tuple(snapshot[era]["tools/list"]) == ("all", *Toolset, "readonly") == tuple(SURFACES)
        assert snapshot[era]["prompts/list"]["prompts"]
        assert snapshot[era]["resources/list"]["resources"]
        assert snapshot[era]["resources/templates/list"]["resourceTemplates"] == []
    assert snapshot["modern"]["server/discover"]["supportedVersions"] == ["2026-07-28"]


def test_it_is_the_same_every_time() -> None:
    assert build() == build()
