"""The workspace itself: who is asking, and the limits its owner set."""

from tools.workspace.settings import get_workspace_settings, update_workspace_settings
from tools.workspace.whoami import whoami

CAPABILITIES = (whoami, get_workspace_settings, update_workspace_settings)
