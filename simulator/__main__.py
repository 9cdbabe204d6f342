"""`python -m simulator --root DIR --port N`: serve until interrupted."""

import argparse
import asyncio
import json
import logging
import signal
import sys

from simulator.server import Simulator
from simulator.switches import SPECS, read_value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument(
        "--root", required=True, help="directory with senders.json and registry.json; keeps all state"
    )
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port (default)")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--host-key", help="file of the host key, made when absent (default: DIR/host-key)")
    group = parser.add_argument_group("switches", "positions at start; DIR/switches.json goes before them")
    for name, spec in SPECS.items():
        option = "--" + name.replace("_", "-")
        if isinstance(spec.default, bool):
            group.add_argument(
                option, dest=f"switch_{name}", action="store_const", const="true", help=spec.does
            )
        else:
            group.add_argument(option, dest=f"switch_{name}", metavar="VALUE", help=spec.does)
    return parser


def _positions(arguments: argparse.Namespace) -> dict[str, object]:
    """The switches named on the command line. Raises ValueError for an unfit value."""
    positions: dict[str, object] = {}
    for name, spec in SPECS.items():
        given = getattr(arguments, f"switch_{name}")
        if given is not None:
            positions[name] = read_value(name, given if isinstance(spec.default, str) else json.loads(given))
    return positions


async def _serve(simulator: Simulator) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, simulator.ask_to_stop)

    def tell() -> None:
        where = f"{simulator.host}:{simulator.port}"
        sys.stdout.write(f"simulator listening on {where} host-key {simulator.host_key}\n")
        sys.stdout.flush()

    await simulator.run(tell)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    try:
        positions = _positions(options)
    except ValueError as fault:
        parser.error(str(fault))
    try:
        asyncio.run(_serve(Simulator(options.root, options.port, options.host, options.host_key, positions)))
    except OSError as fault:
        sys.stderr.write(f"the simulator cannot listen on {options.host}:{options.port}: {fault}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
