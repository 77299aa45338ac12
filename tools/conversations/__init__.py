"""Conversations with the in-app agent, as rows, and what people and agents ask about them."""

from tools.conversations.delete import delete_conversation
from tools.conversations.get import get_conversation
from tools.conversations.list import list_conversations
from tools.conversations.rename import rename_conversation
from tools.conversations.usage import get_usage

CAPABILITIES = (list_conversations, get_conversation, rename_conversation, delete_conversation, get_usage)
