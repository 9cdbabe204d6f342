class ServersError(RuntimeError):
    """A server cannot be had. The message says why and what to do; it is shown without a traceback."""
