"""python -m portal.examples: write the example files."""

import argparse
import sys
from pathlib import Path

from portal.examples import write


def main(arguments: list[str] | None = None) -> int:
    """Write the files and print the outcome to expect. Exit code 2 when the sizes are out of bounds."""
    parser = argparse.ArgumentParser(prog="python -m portal.examples", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same bytes (default 1)")
    parser.add_argument("--records", type=int, default=200, help="training records in all (default 200)")
    parser.add_argument("--employers", type=int, default=12, help="employers in all (default 12)")
    parser.add_argument("--out", type=Path, default=Path("examples"), help="folder (default examples)")
    options = parser.parse_args(arguments)
    try:
        expected = write(options.out, seed=options.seed, records=options.records, employers=options.employers)
    except ValueError as error:
        parser.error(str(error))
    counts = expected.counts
    sys.stdout.write(
        f"{options.out}: {counts.total} records = {counts.accepted} accepted"
        f" + {counts.accepted_with_remarks} accepted with remarks + {counts.refused} refused\n"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
