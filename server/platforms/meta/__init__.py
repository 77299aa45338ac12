"""Meta's Graph and Marketing API behind the ad-platform port."""
