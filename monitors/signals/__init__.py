"""Numbers over time, one vendor a file."""
