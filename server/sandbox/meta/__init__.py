"""Meta's Graph and Marketing API on the wire: paths, parameters, errors and headers are the platform's own."""
