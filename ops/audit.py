"""`make audit`: known vulnerabilities of what requirements.txt pins.

pip-audit asks PyPI. Where that can't be reached, or a mirror without such data answers, this says that nothing was
audited and doesn't fail: a build must not break because a network is closed, nor pass as if it had been checked.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
COMMAND = [
    sys.executable, "-m", "pip_audit", "--requirement", str(ROOT / "requirements.txt"),
    "--no-deps", "--disable-pip", "--progress-spinner=off", "--format=json",
]  # fmt: skip
# What pip-audit's last words hold when nobody answered it.
UNREACHABLE = (
    "ConnectionError",
    "ConnectTimeout",
    "ReadTimeout",
    "Could not connect",
    "Max retries exceeded",
    "ProxyError",
)


def verdict(report: dict[str, Any]) -> tuple[int, str]:
    """The exit code and the words for a report of pip-audit."""
    packages = report["dependencies"]
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    if len(skipped) == len(packages):
        return (
            0,
            f"Not audited: the index that answers here knows nothing of vulnerabilities ({len(skipped)} packages).",
        )
    found = [
        f"{package['name']} {package['version']}: {flaw['id']}, mended in {' or '.join(flaw['fix_versions']) or 'none'}"
        for package in packages
        for flaw in package.get("vulns", ())
    ]
    lines = [f"{len(packages) - len(skipped)} packages audited, {len(found)} known vulnerabilities.", *found]
    if skipped:
        lines.append(f"Not audited, unknown to the index: {', '.join(skipped)}.")
    return (1 if found else 0), "\n".join(lines)


def audit(arguments: list[str]) -> tuple[int, str]:
    """Run pip-audit, with further arguments for it; the exit code and the words."""
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True)
    try:
        return verdict(json.loads(done.stdout))
    except json.JSONDecodeError:
        pass
    last = (done.stderr.strip().splitlines() or ["no word"])[-1]
    if any(sign in done.stderr for sign in UNREACHABLE):
        return 0, f"Not audited: the data of vulnerabilities can't be reached from here ({last})."
    return 1, f"Not audited: pip-audit failed: {last}"


if __name__ == "__main__":
    code, words = audit(sys.argv[1:])
    print(words)
    sys.exit(code)
