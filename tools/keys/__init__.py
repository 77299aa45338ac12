"""API keys of the workspace."""

from tools.keys.create import create_api_key
from tools.keys.list import list_api_keys
from tools.keys.revoke import revoke_api_key

CAPABILITIES = (list_api_keys, create_api_key, revoke_api_key)
