"""Bearer tokens against the real service: its own, those of a real issuer on loopback, and every bad one."""

import base64
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from core.access import Role, sign
from core.settings import Settings
from ingest.providers.github.signature import signature
from tests.builders import run_payload
from tests.conftest import ROOT, SECRET, WRITE_KEY, IngestProcess

JWT_SECRET = "a-token-secret-of-the-tests-0123456789"
OLD_SECRET = "the-token-secret-before-it-0123456789"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())


def now() -> datetime:
    """Not the moment at which the tests were collected: a suite may run for longer than a token counts."""
    return datetime.now(UTC)


def jwks() -> dict[str, Any]:
    keys = []
    for name, key, kind in (("r", RSA_KEY, jwt.algorithms.RSAAlgorithm), ("e", EC_KEY, jwt.algorithms.ECAlgorithm)):
        keys.append(json.loads(kind.to_jwk(key.public_key())) | {"kid": name, "use": "sig"})  # type: ignore[attr-defined]
    return {"keys": keys}


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            document = {"issuer": address, "jwks_uri": f"{address}/keys"} if "well-known" in self.path else jwks()
            body = json.dumps(document).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield address
    server.shutdown()


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory, issuer: str) -> Iterator[IngestProcess]:
    """A service that wants tokens for reading."""
    environment = {
        "JWT_SECRET": JWT_SECRET,
        "JWT_SECRET_PREVIOUS": OLD_SECRET,
        "OIDC_ISSUER": issuer,
        "OIDC_AUDIENCE": "dashboard",
        "OIDC_ROLE_CLAIM": "realm_access.roles",
        "RATE_LIMIT_PER_MINUTE": "100000",
    }
    process = IngestProcess(tmp_path_factory.mktemp("closed"), environment).start()
    yield process
    process.stop()


def own(**changes: Any) -> dict[str, Any]:
    claims = {"sub": "ana", "role": "viewer", "aud": "cicd-health-dashboard", "iat": now(), "nbf": now()}
    return claims | {"exp": now() + timedelta(hours=1)} | changes


def of_issuer(issuer: str, **changes: Any) -> dict[str, Any]:
    return {"iss": issuer, "aud": "dashboard", "sub": "u-1", "exp": now() + timedelta(hours=1)} | changes


def read(process: IngestProcess, token: str) -> httpx.Response:
    return httpx.get(f"{process.url}/api/v1/builds", headers={"Authorization": f"Bearer {token}"})


def part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_reading_needs_a_token(closed: IngestProcess) -> None:
    for path in ("/api/v1/builds", "/api/builds", "/api/v1/metrics/summary", "/api/v1/alerts", "/api/v1/deliveries"):
        assert httpx.get(closed.url + path).status_code == 401, path
        assert httpx.get(closed.url + path, headers={"X-API-KEY": WRITE_KEY}).status_code == 401, path
    assert httpx.get(f"{closed.url}/health/ready").status_code == 200


@pytest.mark.parametrize("secret", [JWT_SECRET, OLD_SECRET])
def test_a_token_of_the_service_is_good_also_while_its_secret_is_changed(closed: IngestProcess, secret: str) -> None:
    assert read(closed, sign(secret, "ana", Role.VIEWER, timedelta(hours=1), now())).status_code == 200


def test_basic_authentication_carries_a_token_as_its_password(closed: IngestProcess) -> None:
    token = sign(JWT_SECRET, "reader", Role.VIEWER, timedelta(hours=1), now())
    assert httpx.get(f"{closed.url}/api/v1/builds", auth=("token", token)).status_code == 200
    assert httpx.get(f"{closed.url}/api/v1/builds", auth=("token", "x")).status_code == 401


@pytest.mark.parametrize(("key", "algorithm", "name"), [(RSA_KEY, "RS256", "r"), (EC_KEY, "ES256", "e")])
def test_a_token_of_the_issuer_is_good_and_its_claim_gives_the_role(
    closed: IngestProcess, issuer: str, key: Any, algorithm: str, name: str
) -> None:
    token = jwt.encode(of_issuer(issuer), key, algorithm, {"kid": name})
    assert read(closed, token).status_code == 200
    backup = httpx.post(f"{closed.url}/api/v1/backup", headers={"Authorization": f"Bearer {token}"})
    assert (backup.status_code, backup.json()["error"]["code"]) == (403, "forbidden")
    claims = of_issuer(issuer, realm_access={"roles": ["other", "admin"]})
    headers = {"Authorization": f"Bearer {jwt.encode(claims, key, algorithm, {'kid': name})}"}
    assert httpx.post(f"{closed.url}/api/v1/backup", headers=headers).status_code == 200


def bad_tokens(issuer: str) -> dict[str, tuple[str, str]]:
    good = jwt.encode(own(), JWT_SECRET, "HS256")
    head, body, signature = good.split(".")
    hour = timedelta(hours=1)
    rsa_token = of_issuer(issuer)
    public = RSA_KEY.public_key().public_numbers().n.to_bytes(256, "big")
    return {
        "none": (f"{part({'alg': 'none', 'typ': 'JWT'})}.{body}.", "algorithm"),
        "None": (f"{part({'alg': 'None'})}.{body}.{signature}", "algorithm"),
        "hs512": (jwt.encode(own(), JWT_SECRET * 2, "HS512"), "algorithm"),
        "tampered": (f"{head}.{part({'sub': 'ana', 'role': 'admin', 'exp': 9999999999})}.{signature}", "signature"),
        "other secret": (jwt.encode(own(), "x" * 40, "HS256"), "signature"),
        "expired": (jwt.encode(own(exp=now() - hour), JWT_SECRET, "HS256"), "expired"),
        "not yet": (jwt.encode(own(nbf=now() + hour), JWT_SECRET, "HS256"), "not valid yet"),
        "audience": (jwt.encode(own(aud="other"), JWT_SECRET, "HS256"), "audience"),
        "no end": (jwt.encode({"sub": "ana"}, JWT_SECRET, "HS256"), "claim"),
        "no subject": (jwt.encode({"exp": now() + hour}, JWT_SECRET, "HS256"), "claim"),
        "junk": ("junk", "malformed"),
        "dots": ("..", "malformed"),
        "surrogate": (f"{part({'alg': 'HS256', 'x': chr(0xD800)})}.{body}.{signature}", "signature"),
        "deep": (f"{base64.urlsafe_b64encode(b'[' * 5000).decode()}.{body}.", "malformed"),
        "long": ("a" * 9000, "too long"),
        "issuer audience": (jwt.encode(rsa_token | {"aud": "x"}, RSA_KEY, "RS256", {"kid": "r"}), "audience"),
        "issuer none": (jwt.encode(rsa_token | {"iss": "x"}, RSA_KEY, "RS256", {"kid": "r"}), "issuer"),
        "issuer expired": (jwt.encode(rsa_token | {"exp": now() - hour}, RSA_KEY, "RS256", {"kid": "r"}), "expired"),
        "unknown key": (jwt.encode(rsa_token, RSA_KEY, "RS256", {"kid": "zz"}), "key is unknown"),
        "no key": (jwt.encode(rsa_token, RSA_KEY, "RS256"), "kid"),
        "key of another kind": (jwt.encode(rsa_token, RSA_KEY, "RS256", {"kid": "e"}), "algorithm"),
        "forged": (
            jwt.encode(
                rsa_token, rsa.generate_private_key(public_exponent=65537, key_size=2048), "RS256", {"kid": "r"}
            ),
            "signature",
        ),
        "public key as secret": (jwt.encode(rsa_token, public, "HS256", {"kid": "r"}), "signature"),
    }


def test_every_bad_token_gets_401_with_its_reason_and_no_more(closed: IngestProcess, issuer: str) -> None:
    for name, (token, reason) in bad_tokens(issuer).items():
        answer = read(closed, token)
        assert answer.status_code == 401, name
        assert reason in answer.json()["error"]["message"], (name, answer.json())
        assert answer.json()["error"]["details"] == {}
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_the_command_makes_a_token(closed: IngestProcess) -> None:
    command = [sys.executable, "-m", "ingest", "token", "--sub", "ana", "--role", "operator", "--days", "30"]
    made = subprocess.run(command, cwd=ROOT, env=closed.variables(), capture_output=True, text=True, check=True)
    claims = jwt.decode(made.stdout.strip(), JWT_SECRET, ["HS256"], audience="cicd-health-dashboard")
    assert (claims["sub"], claims["role"], claims["exp"] - claims["iat"]) == ("ana", "operator", 30 * 86400)
    assert read(closed, made.stdout.strip()).status_code == 200


def test_the_command_says_what_is_missing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ingest", "token", "--sub", "ana"]
    made = subprocess.run(command, cwd=ROOT, env=IngestProcess(tmp_path).variables(), capture_output=True, text=True)
    assert made.returncode == 1
    assert "JWT_SECRET" in made.stderr


def test_a_webhook_secret_is_changed_without_a_gap(tmp_path: Path) -> None:
    process = IngestProcess(tmp_path, {"GITHUB_WEBHOOK_SECRET_PREVIOUS": "the-old-webhook-secret"}).start()
    for number, secret in enumerate((SECRET, "the-old-webhook-secret")):
        body = orjson.dumps(run_payload(run_id=number))
        headers = {"X-GitHub-Event": "workflow_run", "X-Hub-Signature-256": signature(body, secret)}
        answer = httpx.post(f"{process.url}/api/v1/webhook/github-actions", content=body, headers=headers)
        assert answer.json() == {"status": "processed"}
    headers["X-Hub-Signature-256"] = signature(body, "another-secret")
    assert httpx.post(f"{process.url}/api/v1/webhook/github-actions", content=body, headers=headers).status_code == 401
    process.stop()


def test_every_webhook_secret_can_be_changed_without_a_gap() -> None:
    secrets = [name for name in Settings.model_fields if "_webhook_" in name and name.endswith(("_secret", "_token"))]
    assert secrets
    assert {f"{name}_previous" for name in secrets} <= set(Settings.model_fields)
