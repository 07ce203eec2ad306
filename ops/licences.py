"""The licences of what is installed to run the product: `python -m ops.licences` writes docs/licences.md.

With `--check` it writes nothing, and fails on a licence that isn't allowed here or a page that is out of date.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

from license_expression import ExpressionError, LicenseSymbol, get_spdx_licensing

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "licences.md"
# Licences that ask for no more than to be named.
ALLOWED = frozenset(
    {
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC0-1.0",
        "ISC",
        "MIT",
        "MIT-0",
        "MIT-CMU",
        "PSF-2.0",
        "Zlib",
    }
)
# Packages whose licence asks for more, and why that is no hindrance.
OWN_FILES = "covers the package's own files, which are used as they are published"
LIBRARY = "a library that is imported unchanged and can be exchanged by whoever runs the product"
EXCEPTIONS = {
    ("certifi", "MPL-2.0"): OWN_FILES,
    ("orjson", "MPL-2.0"): OWN_FILES,
    ("psycopg", "LGPL-3.0-only"): LIBRARY,
    ("psycopg-binary", "LGPL-3.0-only"): LIBRARY,
    ("psycopg-pool", "LGPL-3.0-only"): LIBRARY,
}
# What packages write instead of an SPDX expression. "BSD License" says too little: such a package is read by hand.
SPDX = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 3-Clause OR Apache-2.0": "BSD-3-Clause OR Apache-2.0",
    "MIT License": "MIT",
}
READ_BY_HAND = {
    "altair": "BSD-3-Clause",
    "itsdangerous": "BSD-3-Clause",
    "jinja2": "BSD-3-Clause",
    "python-dateutil": "BSD-3-Clause",
}

HEADER = """# Licences of what the product is built on

Every package that `make run` installs, made by `python -m ops.licences`; versions are in `requirements.txt` and, in a
form for machines, in the bill of materials of `make sbom`. `make lint` fails on a licence that isn't allowed yet.

| Package | Licence | Note |
|---|---|---|
"""


def normal(name: str) -> str:
    """The name of a package as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def required(requirements: str) -> list[str]:
    """The packages that a compiled requirements file pins."""
    return sorted(normal(name) for name in re.findall(r"^([\w.-]+)(?:\[.*?\])?==", requirements, re.MULTILINE))


def licence(package: str, said: dict[str, str]) -> str:
    """One package's licence as SPDX expression, from whichever place says it; else in the package's own words."""
    if package in READ_BY_HAND:
        return READ_BY_HAND[package]
    for place in ("License-Expression", "License-Metadata", "License-Classifier"):
        text = said[place].strip()
        if text != "UNKNOWN" and "\n" not in text:
            return SPDX.get(text, text)
    return "UNKNOWN"


def forbidden(package: str, expression: str) -> set[str]:
    """The licences of an SPDX expression that aren't allowed for a package; of `A OR B` one allowed side suffices."""
    try:
        tree = get_spdx_licensing().parse(expression or "UNKNOWN", validate=True)
    except ExpressionError:
        return {expression}
    return _forbidden(package, tree)


def _forbidden(package: str, node: object) -> set[str]:
    if isinstance(node, LicenseSymbol):
        fine = node.key in ALLOWED or (package, node.key) in EXCEPTIONS
        return set() if fine else {node.key}
    sides = [_forbidden(package, side) for side in getattr(node, "args", ())]
    if not sides:
        return {str(node)}
    if getattr(node, "operator", "").strip() == "OR" and not all(sides):
        return set()
    return set().union(*sides)


def installed(packages: list[str]) -> dict[str, str]:
    """Package → licence, of the packages that are installed."""
    command = [sys.executable, "-m", "piplicenses", "--from=all", "--format=json"]
    rows = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    said = {normal(row["Name"]): row for row in rows}
    return {package: licence(package, said[package]) for package in packages if package in said}


def page(licences: dict[str, str]) -> str:
    """The text of `docs/licences.md`."""
    notes = {package: f"{key}: {reason}" for (package, key), reason in EXCEPTIONS.items()}
    return HEADER + "".join(
        f"| {package} | {expression} | {notes.get(package, '')} |\n" for package, expression in licences.items()
    )


def complaints(licences: dict[str, str], packages: list[str]) -> list[str]:
    """What must be mended before the licences are in order, one sentence each."""
    absent = [
        f"{package} is not installed, its licence can't be read" for package in packages if package not in licences
    ]
    return absent + [
        f"{package}: {', '.join(sorted(not_allowed))} isn't among the licences allowed in ops/licences.py"
        for package, expression in licences.items()
        if (not_allowed := forbidden(package, expression))
    ]


def main() -> int:
    """Write or check the page; the exit code."""
    packages = required((ROOT / "requirements.txt").read_text())
    licences = installed(packages)
    wrong = complaints(licences, packages)
    if "--check" not in sys.argv:
        PAGE.write_text(page(licences))
    elif PAGE.read_text() != page(licences):
        wrong.append("docs/licences.md is out of date: run python -m ops.licences")
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
