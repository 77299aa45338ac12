"""The version of what is running: a literal, as asking the installed distribution costs a command 30 ms."""

VERSION = "0.1.0"
