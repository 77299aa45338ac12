"""What was changed on the platforms, and undoing it."""

from tools.changes.list import list_changes
from tools.changes.undo import undo_change

CAPABILITIES = (list_changes, undo_change)
