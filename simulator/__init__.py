"""The other side: an SFTP server that receives declarations and answers like social security.

For the demonstration, for training and for tests. It shares no line with the portal, so that the two
can disagree.
"""
