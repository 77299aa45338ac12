"""Approvals: what waits for a person, and the person's answer."""

from tools.approvals.approve import approve
from tools.approvals.deny import deny
from tools.approvals.get import get_approval
from tools.approvals.list import list_approvals

CAPABILITIES = (list_approvals, get_approval, approve, deny)
