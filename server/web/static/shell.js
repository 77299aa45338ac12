// The badge.
