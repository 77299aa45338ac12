// The palette.
