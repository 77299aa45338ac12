"""The command line: each command is a client of the directory's owner, or becomes it."""
