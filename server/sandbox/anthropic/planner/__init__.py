"""The scripted model of the demo: rules, over the tools that it was given and what they really answered."""
