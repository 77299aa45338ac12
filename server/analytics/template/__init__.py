"""The template language of pipes, from its text to SQL: our own evaluator of a small part of Python, without eval."""
