#!/usr/bin/env python
"""Django's command line, with the servers it needs when none are given."""

import os
import sys
from contextlib import ExitStack

from portal.servers import VARIABLES, ServersError, provided

# They ask no server, and must run where there is none.
SERVERLESS = frozenset(
    {"--help", "-h", "--version", "collectstatic", "compilemessages", "describe", "findstatic", "help"}
    | {"makemessages", "version"}
)


def main() -> None:
    """Run the command; servers that are not named by the environment start before and stop after it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    with ExitStack() as stack:
        command = sys.argv[1] if len(sys.argv) > 1 else "help"
        if command not in SERVERLESS and not all(os.environ.get(name) for name in VARIABLES):
            try:
                stack.enter_context(provided())
            except ServersError as error:
                sys.exit(f"manage.py: {error}")

        from django.core.management import execute_from_command_line

        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
