"""Every secret of the settings planted in every field that reaches a log, an error, a page or a message."""

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import httpx
import orjson
import pytest
from pydantic import SecretStr
from streamlit.testing.v1 import AppTest

from core.access import Role, sign
from core.redaction import Redactor, redactor, secrets_of
from core.settings import Settings, load_settings, settings
from tests.builders import run_payload
from tests.conftest import IngestProcess, wait_for
from tests.ingest.test_alert_delivery import Sink, sink

__all__ = ["sink"]  # a fixture

SECRET_SETTINGS = sorted(name for name, field in Settings.model_fields.items() if "SecretStr" in str(field))
BY_NAME = [name for name in SECRET_SETTINGS if "dict" in str(Settings.model_fields[name].annotation)]
FORMS = {  # those that must look like something
    "gitlab_webhook_signing_token": "whsec_{}",
    "gitlab_webhook_signing_token_previous": "whsec_{}",
    "notify_urls": "json://ana:{}@127.0.0.1:9/",
}
# Without these, or with others than the service under test needs, nothing could be asked.
OWN = {"slack_webhook_url"}


def planted(name: str) -> str:
    return FORMS.get(name, "{}").format(b64encode(f"planted {name} here".encode()).decode().rstrip("="))


PLANTED = {name: planted(name) for name in SECRET_SETTINGS if name not in OWN and name not in BY_NAME}
PLANTED_BY_NAME = {name: {"drone": planted(name)} for name in BY_NAME}
ADDRESSES = {"database_url": "postgresql://ana:planted-database-password@127.0.0.1:9/health"}
BESIDE = {"aws_access_key_id": "AKIA"}  # which a secret needs
NEEDLES = [
    *PLANTED.values(),
    *(held["drone"] for held in PLANTED_BY_NAME.values()),
    PLANTED["notify_urls"].split(":")[2].split("@")[0],
    "planted-database-password",
]

# What the service under test can't have been told: it would not start, or nobody could send it anything.
UNSET = (PLANTED["github_app_private_key"], PLANTED["github_webhook_secret"], "planted-database-password")


def found_in(text: str) -> list[str]:
    return [needle for needle in NEEDLES if needle in text]


def test_no_secret_passes_the_redactor_whatever_it_stands_in() -> None:
    slack = "https://hooks.slack.com/services/T0/B0/abcdef"
    chosen = load_settings(**PLANTED, **PLANTED_BY_NAME, **ADDRESSES, **BESIDE, slack_webhook_url=slack)
    clean = Redactor(secrets_of(chosen))
    for needle in NEEDLES:
        for form in (needle, quote(needle, safe=""), f"https://x.example/{needle}?a={needle}", f"'{needle}'"):
            nested = {"list": [form, {form: form.encode()}], "tuple": (form, {form}), "secret": SecretStr(form)}
            event = {"event": f"x {form} y", "nested": nested, "error": OSError(form), form: 1}
            assert not found_in(str(clean.anything(event))), form


def test_what_looks_like_somebody_elses_credential_is_taken_out_too() -> None:
    foreign = "Bearer abcdefghijkl ghp_abcdefghijkl https://u:hunter22@host xoxb-1234567890 "
    foreign += "eyJhbGciOiJI.eyJzdWIiOiJh.c2ln"
    cleaned = Redactor().text(foreign)
    assert not [word for word in ("abcdefghijkl", "hunter22", "1234567890", "eyJ") if word in cleaned]


@dataclass
class Planted:
    process: IngestProcess
    sink: Sink

    def ask(self, method: str, path: str, **words: object) -> httpx.Response:
        token = sign(PLANTED["jwt_secret"], "root", Role.ADMIN, timedelta(minutes=5), datetime.now(UTC))
        headers = {"Authorization": f"Bearer {token}", **words.pop("headers", {})}  # type: ignore[dict-item]
        return httpx.request(method, self.process.url + path, headers=headers, **words)  # type: ignore[arg-type]


@pytest.fixture
def service(tmp_path: object, sink: Sink) -> Iterator[Planted]:
    by_name = {name.upper(): orjson.dumps(held).decode() for name, held in PLANTED_BY_NAME.items()}
    environment = {name.upper(): value for name, value in (PLANTED | BESIDE).items()} | by_name | {
        "SLACK_WEBHOOK_URL": sink.url, "LOG_LEVEL": "DEBUG", "LOG_FORMAT": "json", "GITHUB_WEBHOOK_SECRET": "",
        "OIDC_CLIENT_SECRET": PLANTED["oidc_client_secret"], "USER_RATE_LIMIT_PER_MINUTE": "100000",
        "GITHUB_API_URL": "http://127.0.0.1:9", "GITHUB_REPOSITORIES": "acme/web", "GITHUB_APP_PRIVATE_KEY": "",
    }  # fmt: skip
    process = IngestProcess(tmp_path, environment)  # type: ignore[arg-type]
    yield Planted(process.start(), sink)
    process.stop()


def test_no_secret_reaches_a_log_an_error_a_page_or_a_message(service: Planted) -> None:
    key = {"X-API-KEY": PLANTED["api_write_key"]}
    shown = [service.ask("GET", "/api/v1/settings").text, service.ask("GET", "/metrics").text]
    for number, needle in enumerate(needle for needle in NEEDLES if needle not in UNSET):
        path = quote(needle, safe="")
        answers = [
            service.ask("GET", f"/{path}"),
            service.ask("GET", f"/api/v1/builds/{path}"),
            service.ask("GET", "/api/v1/builds", params={"status": needle}),
            service.ask("GET", "/api/v1/builds", params={needle: needle}),
            service.ask("PUT", "/api/v1/settings", json={needle: needle}),
            service.ask("POST", "/api/v1/alerts/x/snooze", json={"minutes": needle}),
            service.ask("POST", f"/api/v1/webhook/{path}", content=needle),
            service.ask("GET", "/api/v1/builds", headers={"Authorization": f"Bearer {needle}", "User-Agent": needle}),
            service.ask("GET", "/api/v1/builds", headers={"X-Request-ID": path, "Cookie": needle}),
        ]
        shown += [answer.text for answer in answers if answer.is_error]
        payload = run_payload(run_id=number, conclusion="failure", head_commit={"message": needle},
                              workflow=f"W {needle}", workflow_id=number + 1)  # fmt: skip
        assert service.process.send("workflow_run", payload, f"d-{number}", **key).status_code == 200
        broken = service.process.send("workflow_run", {"workflow_run": {"id": needle}}, f"broken-{number}", **key)
        shown.append(broken.text)
    wait_for(lambda: "W ***" in str(service.sink.bodies), "a message about the pipeline that is called like a secret")
    logged = service.process.log
    assert [line for line in logged.splitlines() if "request" in line]
    assert found_in(logged) == []
    assert found_in("".join(shown)) == []
    assert found_in(orjson.dumps(service.sink.bodies).decode()) == []


def test_no_secret_stands_in_an_error_on_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", PLANTED["github_token"])
    settings.cache_clear()
    assert PLANTED["github_token"] not in redactor().text(f"x {PLANTED['github_token']}")

    def page(secret: str) -> None:
        from core.errors import DashboardError
        from dashboard.parts.notices import explain

        explain(DashboardError(f"It said {secret}", hint=f"Try {secret}"))

    test = AppTest.from_function(page, kwargs={"secret": PLANTED["github_token"]}).run()
    assert len(test.error) == 1
    assert PLANTED["github_token"] not in test.error[0].value
