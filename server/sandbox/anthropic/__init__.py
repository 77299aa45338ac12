"""Claude's Messages API: what the in-app agent talks to where there is no key for the real one."""
