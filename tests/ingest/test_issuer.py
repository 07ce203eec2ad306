"""An OpenID Connect issuer that is away or odd is the issuer's fault, never the caller's; it is asked again later."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from core.errors import Unauthorized
from core.settings import load_settings
from ingest.access.issuer import Issuer, IssuerUnavailable
from ingest.access.tokens import Tokens
from tests.ports import free_port

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key())) | {"kid": "r", "use": "sig"}
TOKEN = jwt.encode({"sub": "ana"}, KEY, "RS256", {"kid": "r"})
DISCOVERY, KEYS = "/.well-known/openid-configuration", "/keys"


class Pages:
    """What an issuer answers, by path; a status alone is an error page."""

    def __init__(self) -> None:
        self.said: dict[str, str | int] = {}
        pages = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                said = pages.said.get(self.path, 404)
                body = b"no" if isinstance(said, int) else said.encode()
                self.send_response(said if isinstance(said, int) else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.heal()

    def heal(self) -> None:
        document = {"issuer": self.address, "jwks_uri": self.address + KEYS}
        self.said = {DISCOVERY: json.dumps(document), KEYS: json.dumps({"keys": [PUBLIC]})}


@pytest.fixture
def pages() -> Iterator[Pages]:
    pages = Pages()
    yield pages
    pages.server.shutdown()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (DISCOVERY, 404),
        (DISCOVERY, "<html>Sign in to the network</html>"),
        (DISCOVERY, "[]"),
        (DISCOVERY, "{}"),
        (DISCOVERY, '{"issuer": "https://another.example", "jwks_uri": "https://another.example/keys"}'),
        (KEYS, 503),
        (KEYS, "<html>Sign in to the network</html>"),
        (KEYS, '{"keys": []}'),
    ],
)
def test_an_issuer_that_answers_oddly_is_unavailable_until_it_answers_well(
    pages: Pages, path: str, said: str | int
) -> None:
    issuer = Issuer(pages.address)
    pages.said[path] = said
    with pytest.raises(IssuerUnavailable) as caught:
        issuer.key_of(TOKEN, "RS256")
    assert (caught.value.status, caught.value.code) == (503, "issuer_unavailable")
    pages.heal()
    assert issuer.key_of(TOKEN, "RS256").key_id == "r"


def test_through_a_token_the_issuers_fault_stays_the_issuers(pages: Pages) -> None:
    tokens = Tokens(load_settings(oidc_issuer=pages.address, oidc_audience="dashboard"))
    pages.said[KEYS] = "<html>Sign in to the network</html>"
    with pytest.raises(IssuerUnavailable):
        tokens.claims_of(TOKEN)


def test_an_issuer_that_is_away_is_unavailable() -> None:
    with pytest.raises(IssuerUnavailable):
        Issuer(f"http://127.0.0.1:{free_port()}").key_of(TOKEN, "RS256")


def test_an_unknown_key_and_one_of_another_kind_are_the_callers_fault(pages: Pages) -> None:
    issuer = Issuer(pages.address)
    with pytest.raises(Unauthorized, match="unknown"):
        issuer.key_of(jwt.encode({}, KEY, "RS256", {"kid": "other"}), "RS256")
    with pytest.raises(Unauthorized, match="algorithm"):
        issuer.key_of(TOKEN, "ES256")
