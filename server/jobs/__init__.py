"""What runs by itself, without anybody asking."""
