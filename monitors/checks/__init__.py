"""Things that are started and finished to know, one vendor a file."""
