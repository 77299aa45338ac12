"""The roof: the composition root, and everything that touches the outside."""
