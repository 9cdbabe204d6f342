"""Run a command with the servers it needs: ``python -m portal.servers [--reset] -- COMMAND...``."""

import argparse
import os
import sys

from portal.servers import VARIABLES, ServersError, settled
from portal.servers.places import Places
from portal.servers.using import forget


def main(arguments: list[str]) -> None:
    """Become COMMAND, so that its exit code, its signals and its terminal are its own.

    It inherits the locks by which the embedded servers know that they are used: they stop after it.
    """
    parser = argparse.ArgumentParser(prog="python -m portal.servers", description=__doc__)
    parser.add_argument("--reset", action="store_true", help="forget the data of the embedded servers first")
    parser.add_argument("command", nargs="*", metavar="COMMAND")
    options = parser.parse_args(arguments)
    if not (options.reset or options.command):
        parser.error("nothing to do")
    try:
        if options.reset:
            for name in ("postgres", "valkey"):
                forget(name, Places.of(os.environ))
        if not options.command:
            return
        urls, uses = settled(os.environ)
    except ServersError as error:
        sys.exit(f"portal.servers: {error}")
    for use in uses:
        os.set_inheritable(use.lock, True)
    environment = {**{k: v for k, v in os.environ.items() if k not in VARIABLES}, **urls}
    try:
        os.execvpe(options.command[0], options.command, environment)  # noqa: S606 - that is its purpose
    except OSError as error:
        sys.exit(f"portal.servers: {options.command[0]}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
