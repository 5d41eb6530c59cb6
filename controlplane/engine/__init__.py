"""Claim what is due, look, decide, act, commit: one batch, one move further."""
