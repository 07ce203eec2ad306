"""`python -m bench`: every part one after the other, each in a process of its own, into `docs/benchmarks.md`.

A part that fails is named in the end, and the others run all the same. `--only webhooks growth` runs some of them.
"""

import signal
import subprocess
import sys
import time

from bench.processes import ROOT
from bench.report import end_in_order, out_of, parser

PARTS = ("webhooks", "schemas", "pages", "insights", "browser", "viewers", "growth", "regressions", "alerts")


def _run(command: list[str]) -> int:
    """The exit code of a part; one that is interrupted is told so, and waited for while it tidies up."""
    with subprocess.Popen(command, cwd=ROOT) as part:
        try:
            return part.wait()
        except BaseException:
            part.terminate()
            part.wait()
            raise


def main() -> None:
    signal.signal(signal.SIGTERM, end_in_order)
    arguments = parser("", __doc__)
    arguments.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    chosen = arguments.parse_args()
    failed = []
    begun = time.monotonic()
    for part in chosen.only:
        command = [sys.executable, "-m", f"bench.{part}", "--out", str(out_of(chosen))]
        code = _run([*command, *(["--quick"] if chosen.quick else [])])
        failed += [part] if code else []
        print(
            f"--- {part}: {'failed' if code else 'done'}, {time.monotonic() - begun:.0f} s so far\n",
            flush=True,
        )
    print(f"{out_of(chosen) / 'benchmarks.md'} is written")
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
