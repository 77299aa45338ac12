"""The scripted model where nothing else was scripted."""

from server.sandbox.anthropic.turn import Turn, text


def plan() -> Turn:
    return Turn((text("I am a scripted demo model, and I know no answer to that."),))
