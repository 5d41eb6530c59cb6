"""Towpath as a program asks it from outside: the command line and the demo are built on it."""
