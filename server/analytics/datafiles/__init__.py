"""Tinybird projects as written on disk: what a .datasource and a .pipe say, in the classic and the forward syntax."""
