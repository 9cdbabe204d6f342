"""What the bytes say, in both directions: the files that leave and the answers that come back.

Nothing here knows a database, a directory or a network: bytes and plain values go in and come out.
"""
