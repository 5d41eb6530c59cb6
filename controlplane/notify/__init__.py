"""Drivers of notifications: one channel a file, one literal registry."""
