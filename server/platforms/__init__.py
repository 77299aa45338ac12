"""The ad platforms' wires: each package here speaks one platform's API and answers in the terms of tools.ports."""
