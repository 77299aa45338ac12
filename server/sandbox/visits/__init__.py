"""The visits of a made-up shop: what its website would have sent over 120 days, fitting what its ads delivered."""
