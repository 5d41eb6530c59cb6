"""Who are you? What others say about people and builds: OpenID providers and issuers of JWTs.

It asks them for keys and codes, verifies what they sign, and turns claims into names and grants. It
does not know the doors.
"""
