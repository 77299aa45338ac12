"""Answers made of lists: campaigns, changes, approvals, connections, and who is asking."""

from typing import Any

from server.sandbox.anthropic.planner import naming, visits
from server.sandbox.anthropic.planner.steps import Asked
from server.sandbox.anthropic.planner.tables import NONE, listed, many, plain

_STATES = {"active": "ACTIVE", "running": "ACTIVE", "live": "ACTIVE", "paused": "PAUSED", "archived": "ARCHIVED"}


def campaigns(asked: Asked) -> str:
    lower = asked.words.lower()
    status = next((state for word, state in _STATES.items() if word in lower), None)
    arguments: dict[str, Any] = naming.platform(lower) | ({"status": status} if status else {})
    rows = asked.rows("list_campaigns", **arguments)
    of = f" on {arguments['platform'].title()}" if "platform" in arguments else ""
    kind = f"{status.lower()} " if status else ""
    if not rows:
        return f"You have no {kind}campaigns{of}."
    return f"You have {many(len(rows), f'{kind}campaign')}{of}:\n\n{listed(rows, naming.COLUMNS, 60)}"


def budget(asked: Asked) -> str:
    """What one campaign may spend a day."""
    found = naming.campaign(asked)
    return f"**{found['name']}**:\n\n{listed([found], naming.COLUMNS)}"


def changes(asked: Asked) -> str:
    rows = asked.rows("list_changes", limit=20)[:20]
    if not rows:
        return "Nothing has been changed through Adwright yet."
    columns = (
        ("When", lambda row: plain(row["at"])),
        ("Campaign", lambda row: plain(row.get("campaign_id"))),
        ("Change", lambda row: _change(row)),
        ("By", lambda row: plain(f"{row['requestedBy']} via {row['via']}")),
        ("Outcome", lambda row: "undone" if row.get("undoneBy") else plain(row["status"])),
    )
    return f"The latest {many(len(rows), 'change')}, newest first:\n\n{listed(rows, columns)}"


def approvals(asked: Asked) -> str:
    rows = asked.rows("list_approvals", status="pending")
    if not rows:
        return "Nothing waits for approval."
    columns = (
        ("Proposal", lambda row: plain(row["plan"]["summary"])),
        ("Asked by", lambda row: plain(f"{row['requestedBy']} via {row['via']}")),
        ("Until", lambda row: plain(row["expiresAt"])),
        ("Decide", lambda row: plain(row["url"])),
    )
    return (
        f"{many(len(rows), 'change')} {'waits' if len(rows) == 1 else 'wait'} for approval:\n\n{listed(rows, columns)}"
        "\n\nOnly a signed-in person can decide; I cannot."
    )


def connections(asked: Asked) -> str:
    rows = asked.rows("list_connections")
    if not rows:
        return "No ad platform is connected yet. Connect one under Integrations."
    ill = [row for row in rows if row["status"] != "connected" or not row["decryptReadable"]]
    columns = (
        ("Connection", lambda row: plain(row["name"])),
        ("Platform", lambda row: plain(row["platform"])),
        ("Status", lambda row: plain(row["status"])),
        ("Credentials", lambda row: "readable" if row["decryptReadable"] else "cannot be decrypted"),
        ("Expire", lambda row: plain(row.get("expiresAt"))),
        ("Accounts", lambda row: plain(", ".join(account["name"] for account in row["accounts"]) or NONE)),
    )
    lead = (
        f"{len(ill)} of {len(rows)} connections need attention:"
        if ill
        else f"{many(len(rows), 'connection')}, all healthy:"
    )
    return f"{lead}\n\n{listed(rows, columns)}"


def me(asked: Asked) -> str:
    found = asked.read("whoami")
    gated = "Changes you ask me for wait for your yes." if found["gated"] else "Changes take effect at once."
    return (
        f"You are **{plain(found['name'])}**, {found['role']} of the workspace {plain(found['workspaceName'])}. "
        f"Allowed here: {', '.join(found['scopes'])}. {gated}"
    )


def model(_: Asked) -> str:
    return (
        "I am a scripted demo model, not Claude: I follow rules and have no understanding of my own. What I tell you "
        "about campaigns comes from real tool calls, and changes wait for your yes. Set ANTHROPIC_API_KEY to talk to "
        "Claude."
    )


def abilities(asked: Asked) -> str:
    if "list_campaigns" not in asked.conversation.tools:
        return visits.abilities(asked)
    return (
        "I am a scripted demo model. You can ask me, for example:\n\n"
        "- Which campaigns are active?\n"
        "- What did I spend in the last 30 days, by campaign, platform or day?\n"
        "- Pause a campaign, change its budget to an amount or by a percentage, rename it, create one\n"
        "- Which campaigns waste money? Pause the worst one\n"
        "- Pause all campaigns with ROAS below 1 that spent over 100\n"
        "- What changed recently? What did you just do? Did it work?\n"
        "- Undo the last change, or the one you name\n"
        "- What waits for approval? Are my connections healthy? Who am I?\n"
        "- What are the top pages, where do visitors come from, what is the revenue by channel?"
    )


def left_alone(_: Asked) -> str:
    return "I leave it as it is."


def greeting(_: Asked) -> str:
    return "Hello. I am a scripted demo model; ask me about your campaigns, or say “help”."


def courtesy(_: Asked) -> str:
    return "You are welcome."


def _change(row: dict[str, object]) -> str:
    before = row.get("before")
    known = before if isinstance(before, dict) else {}
    fields = row.get("fields")
    parts = [
        f"{name}: {known[name]} → {after}" if name in known else f"{name}: {after}"
        for name, after in (fields.items() if isinstance(fields, dict) else ())
    ]
    return plain(f"{row['kind']} " + ", ".join(parts))
