"""What the product is built on: its licences are allowed, its flaws are asked for, its bill of materials is valid."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ops.audit import audit, verdict
from ops.licences import complaints, forbidden, installed, page, required
from tests.conftest import ROOT
from tests.ports import free_port

PINNED = required((ROOT / "requirements.txt").read_text())


@pytest.mark.parametrize(
    ("expression", "not_allowed"),
    [
        ("MIT", set()),
        ("GPL-3.0-only", {"GPL-3.0-only"}),
        ("GPL-3.0-only OR MIT", set()),
        ("GPL-3.0-only AND MIT", {"GPL-3.0-only"}),
        ("MIT AND (AGPL-3.0-only OR LGPL-3.0-only)", {"AGPL-3.0-only", "LGPL-3.0-only"}),
        ("BSD License", {"BSD License"}),
        ("MIT AND (", {"MIT AND ("}),
        ("UNKNOWN", {"UNKNOWN"}),
        ("", {""}),
        ("GPL-2.0-only WITH Classpath-exception-2.0", {"GPL-2.0-only WITH Classpath-exception-2.0"}),
    ],
)
def test_only_allowed_licences_pass(expression: str, not_allowed: set[str]) -> None:
    assert forbidden("anything", expression) == not_allowed


def test_an_exception_holds_for_its_own_package_alone() -> None:
    assert not forbidden("psycopg", "LGPL-3.0-only")
    assert forbidden("another", "LGPL-3.0-only")
    assert forbidden("psycopg", "GPL-3.0-only")


def test_a_package_whose_licence_cannot_be_read_is_complained_of() -> None:
    assert complaints({"fine": "MIT"}, ["absent", "fine"]) == ["absent is not installed, its licence can't be read"]


def test_every_installed_package_is_allowed_and_listed() -> None:
    licences = installed(PINNED)
    assert not complaints(licences, PINNED)
    assert page(licences) == (ROOT / "docs" / "licences.md").read_text()


def test_the_bill_of_materials_is_valid_and_complete(tmp_path: Path) -> None:
    command = next(line for line in (ROOT / "Makefile").read_text().splitlines() if "cyclonedx_py" in line)
    arguments = command.split("python ", 1)[1].replace("sbom.cdx.json", str(tmp_path / "sbom.json")).split()
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True)
    parts = json.loads((tmp_path / "sbom.json").read_text())["components"]
    assert sorted(part["name"] for part in parts) == PINNED


@pytest.fixture
def vulnerability_database() -> Iterator[str]:
    """OSV's way to answer, with one flaw of one package."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            flaw = {
                "id": "PYSEC-2026-1",
                "summary": "A flaw",
                "affected": [
                    {
                        "package": {"name": "starlette", "ecosystem": "PyPI"},
                        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.0"}]}],
                    }
                ],
            }
            answer = json.dumps({"vulns": [flaw]} if asked["package"]["name"] == "starlette" else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_known_vulnerability_fails_the_audit(vulnerability_database: str) -> None:
    code, words = audit(["-s", "osv", "--osv-url", vulnerability_database])
    assert code == 1
    assert f"{len(PINNED)} packages audited, 1 known vulnerabilities." in words
    assert "PYSEC-2026-1, mended in 99.0" in words


def test_an_audit_that_reaches_nobody_says_so_and_fails_nothing() -> None:
    code, words = audit(["-s", "osv", "--osv-url", f"http://127.0.0.1:{free_port()}"])
    assert code == 0
    assert words.startswith("Not audited: the data of vulnerabilities can't be reached")


def test_an_audit_that_breaks_for_another_reason_fails() -> None:
    code, words = audit(["--no-such-option"])
    assert code == 1
    assert "pip-audit failed" in words


def test_a_mirror_that_knows_no_vulnerabilities_is_not_taken_for_a_clean_audit() -> None:
    code, words = verdict({"dependencies": [{"name": "a", "skip_reason": "not found"}]})
    assert (code, words.split(":")[0]) == (0, "Not audited")


def test_packages_that_an_index_does_not_know_are_named() -> None:
    known = {"name": "a", "version": "1", "vulns": []}
    code, words = verdict({"dependencies": [known, {"name": "b", "skip_reason": "not found"}]})
    assert code == 0
    assert words.splitlines() == [
        "1 packages audited, 0 known vulnerabilities.",
        "Not audited, unknown to the index: b.",
    ]
