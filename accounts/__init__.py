"""Whom do we act as? The registry of AWS accounts, assumed-role sessions, throttling, preflight."""
