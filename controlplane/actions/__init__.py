"""Drivers of actions: one vendor a file, one literal registry."""
