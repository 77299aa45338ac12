"""Connections to ad platforms, their credentials sealed."""

from tools.connections.create import create_connection
from tools.connections.delete import delete_connection
from tools.connections.list import list_connections
from tools.connections.test import test_connection

CAPABILITIES = (list_connections, create_connection, test_connection, delete_connection)
