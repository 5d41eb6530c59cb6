"""Moving over: an account's pipelines are read, imported with their ways in closed, and followed.

Reads as the account's watching role and changes nothing there.
"""
