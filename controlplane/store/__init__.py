"""Rows. The only room that reads and writes the database; every state move is a compare-and-swap."""
