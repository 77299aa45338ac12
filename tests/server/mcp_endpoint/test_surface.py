"""What a URL and its headers ask for."""

import pytest

from server.mcp_endpoint.surface import Surface, surface_of
from tools.capability import Toolset
from tools.errors import CapabilityError

ALL = Surface()


@pytest.mark.parametrize(
    ("path", "toolsets", "read_only", "surface"),
    [
        ("/mcp", None, None, ALL),
        ("/mcp/", None, None, ALL),
        ("/mounted/below/mcp", None, None, ALL),
        ("/mcp/readonly", None, None, Surface(read_only=True)),
        ("/mcp/x/ads", None, None, Surface((Toolset.ADS,))),
        ("/mcp/x/workspace,ads,ads", None, None, Surface((Toolset.ADS, Toolset.WORKSPACE))),
        ("/mcp", b"approvals, ADS", None, Surface((Toolset.ADS, Toolset.APPROVALS))),
        ("/mcp/x/ads", b"workspace", None, Surface((Toolset.ADS,))),
        ("/mcp", None, b"true", Surface(read_only=True)),
        ("/mcp", None, b"0", ALL),
        ("/mcp/readonly", None, b"false", Surface(read_only=True)),
    ],
)
def test_a_surface_is_what_path_and_headers_name_in_the_declared_order(
    path: str, toolsets: bytes | None, read_only: bytes | None, surface: Surface
) -> None:
    assert surface_of(path, toolsets, read_only) == surface


@pytest.mark.parametrize(
    ("path", "toolsets", "read_only", "status"),
    [
        ("/mcp/x/adz", None, None, 404),
        ("/mcp/elsewhere", None, None, 404),
        ("/mcp", b"adz", None, 400),
        ("/mcp", None, b"perhaps", 400),
    ],
)
def test_what_does_not_exist_is_refused_with_what_does(
    path: str, toolsets: bytes | None, read_only: bytes | None, status: int
) -> None:
    with pytest.raises(CapabilityError) as refused:
        surface_of(path, toolsets, read_only)

    assert refused.value.status == status
    assert refused.value.fix
