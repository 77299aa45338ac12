"""Sums of single days of websites that are looked at: kept ready, and asked in place of the pipes that say the same."""
