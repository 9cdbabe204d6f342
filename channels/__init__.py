"""How bytes travel: names, signatures, the shared SFTP channel, and what came back. Knows no law."""
