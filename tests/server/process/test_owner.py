"""An owner that cannot start says what would help."""

import pytest

from server.process.owner import _remedy
from tools.store.engine import StoreUnavailable


@pytest.mark.parametrize(
    ("problem", "remedy"),
    [
        ("file is not a database", "Restore a backup of adwright.db"),
        ("database disk image is malformed", "Restore a backup of adwright.db"),
        ("unable to open database file", "Make the directory writable"),
    ],
)
def test_a_damaged_database_is_not_a_matter_of_permissions(problem: str, remedy: str) -> None:
    assert _remedy(StoreUnavailable(problem)).startswith(remedy)
