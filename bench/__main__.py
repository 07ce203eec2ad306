"""`python -m bench`: every part one after the other, each in a process of its own, into `docs/benchmarks.md`.

A part that fails is named in the end, and the others run all the same. `--only webhooks growth` runs some of them.
"""

import subprocess
import sys
import time

from bench.processes import ROOT
from bench.report import out_of, parser

PARTS = ("webhooks", "schemas", "pages", "insights", "browser", "viewers", "growth", "regressions", "alerts")


def main() -> None:
    arguments = parser("", __doc__)
    arguments.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    chosen = arguments.parse_args()
    failed = []
    begun = time.monotonic()
    for part in chosen.only:
        command = [sys.executable, "-m", f"bench.{part}", "--out", str(out_of(chosen))]
        done = subprocess.run([*command, *(["--quick"] if chosen.quick else [])], cwd=ROOT, check=False)
        failed += [part] if done.returncode else []
        print(
            f"--- {part}: {'failed' if done.returncode else 'done'}, {time.monotonic() - begun:.0f} s so far\n",
            flush=True,
        )
    print(f"{out_of(chosen) / 'benchmarks.md'} is written")
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
