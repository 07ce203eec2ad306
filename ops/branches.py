"""The share of the branches of `core` and of `ingest` that tests took, of what `coverage json` wrote.

`coverage report` mixes statements with branches, and there are five times as many of them: a part that tests run from
top to bottom, but never refuse anything in, looks better there than it is.
"""

import json
import sys
from pathlib import Path
from typing import Any

LEAST = 0.95


def share_taken(files: dict[str, dict[str, Any]], part: str) -> float:
    """Of all branches in a top-level folder, 0 to 1; `files` as in coverage's JSON report."""
    counted = [about["summary"] for path, about in files.items() if Path(path).parts[0] == part]
    return float(sum(one["covered_branches"] for one in counted) / sum(one["num_branches"] for one in counted))


def main() -> None:
    """`python -m ops.branches REPORT`. Exits with 1 where a part has less than LEAST."""
    files = json.loads(Path(sys.argv[1]).read_text())["files"]
    shares = {part: share_taken(files, part) for part in ("core", "ingest")}
    for part, share in shares.items():
        print(f"{part}: {share:.1%} of the branches (at least {LEAST:.0%})")
    sys.exit(min(shares.values()) < LEAST)


if __name__ == "__main__":
    main()
