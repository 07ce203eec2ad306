"""All settings in one typed class. Nothing else in the project reads the environment."""

import re
from functools import lru_cache
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.errors import BadSetting

Port = Annotated[int, Field(ge=1, le=65535)]


class NamedSecrets(dict[str, SecretStr]):
    """Secrets by the names of their systems. Can be hashed, as settings are that are used as a key."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))


class Settings(BaseSettings):
    """Read from the environment and from `.env`; every value is validated when a process starts.

    An empty value counts as not set, so that a copied `.env.example` changes nothing.
    """

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True, env_nested_delimiter="__"
    )

    database_url: str = Field(
        "duckdb:///data/health.duckdb",
        description="Where the data lives: `duckdb:///<path>`, or `postgresql://user:password@host/name`.",
    )
    database_pool_size: int = Field(
        20, ge=2, le=100, description="Most connections to PostgreSQL that a process reads through."
    )
    redis_url: str | None = Field(
        None,
        description="Redis for several processes on one PostgreSQL: limits counted together, answers kept for seconds. "
        "`redis://:password@host:6379/0`.",
    )
    duckdb_memory_limit: str = Field(
        "2GB",
        description="Most memory that DuckDB may take, with a unit: `512MB`, `2GB`.",
        pattern=r"^\d+(\.\d+)? ?[KMGT]i?B$",
    )
    duckdb_threads: int = Field(
        1,
        ge=1,
        le=256,
        description="Threads that one query may use. Queries run beside each other anyway; more than one makes pages "
        "over millions of runs faster and each webhook dearer by a third.",
    )
    ingest_host: str = Field("127.0.0.1", description="Address that the ingest service listens on.")
    ingest_port: Port = Field(8000, description="Port of the ingest service.")
    ingest_url: str = Field("http://127.0.0.1:8000", description="Where the dashboard finds the ingest service.")
    quack_port: Port = Field(9494, description="Loopback port of the read-only SQL endpoint (Quack).")
    quack_token: SecretStr | None = Field(
        None,
        min_length=16,
        description="Token of the SQL endpoint. Default: made once, kept beside the database, mode 0600.",
    )
    sql_timeout_seconds: float = Field(
        10, gt=0, le=300, description="After this time a query of the page Explore, or of `GET /sql`, is stopped."
    )
    run_scheduler: bool = Field(True, description="Run the timed jobs (retention, checkpoint) in this process.")
    github_webhook_secret: SecretStr | None = Field(
        None, min_length=8, description="Secret of the GitHub webhook. Once set, unsigned calls get 401."
    )
    gitlab_webhook_token: SecretStr | None = Field(
        None, min_length=8, description="Secret token of the GitLab webhook. Once set, calls without it get 401."
    )
    gitlab_webhook_token_previous: SecretStr | None = Field(
        None,
        min_length=8,
        description="The GitLab secret token before the current one, accepted too while it is changed.",
    )
    gitlab_webhook_signing_token: SecretStr | None = Field(
        None,
        description="Signing token (`whsec_…`) of the GitLab webhook. Once set, unsigned calls get 401.",
    )
    gitlab_webhook_signing_token_previous: SecretStr | None = Field(
        None, description="The GitLab signing token before the current one, accepted too while it is changed."
    )
    jenkins_webhook_secret: SecretStr | None = Field(
        None, min_length=8, description="Secret that Jenkins signs its calls with. Once set, unsigned calls get 401."
    )
    jenkins_webhook_secret_previous: SecretStr | None = Field(
        None, min_length=8, description="The Jenkins secret before the current one, accepted too while it is changed."
    )
    generic_webhook_secret: SecretStr | None = Field(
        None, min_length=8, description="Secret of calls to `/webhook/generic`. Once set, unsigned calls get 401."
    )
    generic_webhook_secret_previous: SecretStr | None = Field(
        None,
        min_length=8,
        description="The secret of `/webhook/generic` before the current one, accepted too while it is changed.",
    )
    github_webhook_secret_previous: SecretStr | None = Field(
        None, min_length=8, description="The GitHub secret before the current one, accepted too while it is changed."
    )
    buildbot_webhook_secret: SecretStr | None = Field(
        None, min_length=8, description="Password that Buildbot's reporter sends. Once set, calls without it get 401."
    )
    buildbot_webhook_secret_previous: SecretStr | None = Field(
        None,
        min_length=8,
        description="The Buildbot password before the current one, accepted too while it is changed.",
    )
    circleci_webhook_secret: SecretStr | None = Field(
        None, min_length=8, description="Secret of the CircleCI webhook. Once set, unsigned calls get 401."
    )
    circleci_webhook_secret_previous: SecretStr | None = Field(
        None, min_length=8, description="The CircleCI secret before the current one, accepted too while it is changed."
    )
    azure_webhook_secret: SecretStr | None = Field(
        None,
        min_length=8,
        description="Basic-auth password of the Azure service hooks. Once set, calls without it get 401.",
    )
    azure_webhook_secret_previous: SecretStr | None = Field(
        None, min_length=8, description="The Azure password before the current one, accepted too while it is changed."
    )
    bitbucket_webhook_secret: SecretStr | None = Field(
        None, min_length=8, description="Secret of the Bitbucket webhook. Once set, unsigned calls get 401."
    )
    bitbucket_webhook_secret_previous: SecretStr | None = Field(
        None, min_length=8, description="The Bitbucket secret before the current one, accepted too while it is changed."
    )
    buildkite_webhook_token: SecretStr | None = Field(
        None,
        min_length=8,
        description="Token of the Buildkite webhook. Once set, calls without it or its signature get 401.",
    )
    buildkite_webhook_token_previous: SecretStr | None = Field(
        None, min_length=8, description="The Buildkite token before the current one, accepted too while it is changed."
    )
    cdevents_webhook_secret: SecretStr | None = Field(
        None, min_length=8, description="Secret of calls to `/webhook/cdevents`. Once set, unsigned calls get 401."
    )
    cdevents_webhook_secret_previous: SecretStr | None = Field(
        None,
        min_length=8,
        description="The secret of `/webhook/cdevents` before the current one, accepted too while it is changed.",
    )
    webhook_secrets: dict[str, SecretStr] = Field(
        default_factory=NamedSecrets,
        description="Secrets of CI systems that have no variable of their own: `WEBHOOK_SECRETS__DRONE=…`.",
    )
    webhook_secrets_previous: dict[str, SecretStr] = Field(
        default_factory=NamedSecrets,
        description="Those secrets before the current ones, accepted too while they are changed.",
    )
    travis_public_key: str | None = Field(
        None,
        pattern=r"^-----BEGIN PUBLIC KEY-----",
        description="Travis' public key (PEM, line ends written as `\\n`). Once set, unsigned calls get 401.",
    )
    github_token: SecretStr | None = Field(
        None,
        description="Token that polling and logs use; needs to read Actions and metadata (fine-grained) or `repo`.",
    )
    github_app_id: str | None = Field(None, description="Id of a GitHub App, instead of GITHUB_TOKEN.")
    github_app_private_key: SecretStr | None = Field(
        None, description="Private key of the GitHub App: its PEM text (`\\n` for line ends), or the path of its file."
    )
    github_app_installation_id: str | None = Field(
        None,
        pattern=r"^\d+$",
        description="Installation of the GitHub App: the number at the end of its settings page.",
    )
    github_api_url: str = Field(
        "https://api.github.com",
        description="Address of GitHub's API; GitHub Enterprise: `https://<host>/api/v3`.",
    )
    github_repositories: str = Field(
        "", description="Repositories to poll, separated by commas: `acme/web,acme/*`. Empty: no polling of GitHub."
    )
    gitlab_url: str = Field("https://gitlab.com", description="Address of GitLab: gitlab.com, or your own server.")
    gitlab_token: SecretStr | None = Field(
        None, description="Token that polling and logs use; needs the scope `read_api`, and at least the role Reporter."
    )
    gitlab_projects: str = Field(
        "",
        description="Projects to poll, separated by commas: `acme/web,acme/*` (`*`: subgroups too). "
        "Empty: no polling of GitLab.",
    )
    jenkins_url: str | None = Field(None, description="Address of Jenkins: `https://jenkins.example.org`.")
    jenkins_user: str | None = Field(None, description="User of Jenkins to whom JENKINS_TOKEN belongs.")
    jenkins_token: SecretStr | None = Field(
        None, description="API token of JENKINS_USER; needs Overall/Read and Job/Read."
    )
    jenkins_jobs: str = Field(
        "",
        description="Jobs to poll by their full names, separated by commas: `nightly,team/shop,team/*` (`*`: all "
        "beneath, folders too). Empty: no polling of Jenkins.",
    )
    buildbot_url: str | None = Field(
        None, description="Address of the Buildbot master to poll: its `buildbotURL`. Empty: no polling of Buildbot."
    )
    buildbot_builders: str = Field("*", description="Builders to poll, separated by commas; `*` for all of them.")
    poll_interval_seconds: float = Field(60, gt=0, description="Seconds between two looks at each polled repository.")
    backfill_days: int = Field(30, ge=0, description="Days of history read for a repository seen for the first time.")
    log_retention_days: int = Field(30, ge=1, description="Days for which logs of jobs are kept.")
    log_max_bytes: int = Field(
        8_388_608, ge=65_536, description="Most bytes kept of a job's log: its head and tail; the middle is left out."
    )
    api_write_key: SecretStr | None = Field(
        None,
        min_length=16,
        description="Key for writes (`X-API-KEY`). Required to listen on anything but loopback. Kept hashed in the "
        "settings table, where `PUT /api/v1/settings` changes it without a restart.",
    )
    jwt_secret: SecretStr | None = Field(
        None, min_length=16, description="Signs and checks HS256 tokens. Once set, reads need `Authorization: Bearer`."
    )
    jwt_secret_previous: SecretStr | None = Field(
        None, min_length=16, description="The token secret before the current one, accepted too while it is changed."
    )
    oidc_issuer: str | None = Field(
        None,
        description="OpenID Connect issuer whose RS256 and ES256 tokens are accepted: `https://login.example.org`.",
    )
    oidc_audience: str | None = Field(
        None, description="Audience that the issuer's tokens must name at the API. Without it none is accepted there."
    )
    oidc_role_claim: str = Field(
        "roles",
        description="Claim that holds `viewer`, `operator` or `admin`; dots reach inside: `realm_access.roles`.",
    )
    oidc_default_role: Literal["viewer", "none"] = Field(
        "viewer",
        description="Role of whom neither the claim nor `PUT /api/v1/settings` names. `none` where the issuer lets "
        "anybody sign in.",
    )
    oidc_client_id: str | None = Field(
        None, description="This dashboard's name at the OIDC issuer. Set: people sign in to see the dashboard."
    )
    oidc_client_secret: SecretStr | None = Field(None, description="The dashboard's secret at the OIDC issuer.")
    oidc_scope: str = Field("openid email profile", description="Scopes asked for when somebody signs in.")
    sign_in_hours: int = Field(12, ge=1, le=720, description="Hours after which people sign in to the dashboard anew.")
    dashboard_anonymous_role: Literal["viewer", "operator", "admin"] | None = Field(
        None,
        description="What people may do on the dashboard without signing in. Default: everything where it is reached "
        "on loopback only and no sign-in is configured, else nothing.",
    )
    public_badges: bool = Field(False, description="Serve badges without a token even where reads need one.")
    rate_limit_per_minute: int = Field(60, ge=1, description="Requests a minute from one address without a credential.")
    user_rate_limit_per_minute: int = Field(1000, ge=1, description="Requests a minute of one authenticated caller.")
    trusted_proxies: str = Field(
        "",
        description="Reverse proxies whose `X-Forwarded-For` is believed: `10.0.0.5,10.1.0.0/16`.",
    )
    request_timeout_seconds: int = Field(
        20, ge=1, le=600, description="Longest time that a request's headers, and then its body, may take to arrive."
    )
    alert_interval_seconds: int = Field(
        30, ge=1, description="Seconds between evaluations of what time alone makes true (a pipeline down, a slow run)."
    )
    alert_group_seconds: int = Field(
        60,
        ge=0,
        le=3600,
        description="After a message about a repository, others are gathered for so long and go out as one; 0: never.",
    )
    notify_min_severity: Literal["info", "warning", "critical"] = Field(
        "warning", description="Least severity of an alert that is sent to the channels."
    )
    slack_webhook_url: SecretStr | None = Field(None, description="Slack incoming webhook that alerts are sent to.")
    smtp_host: str | None = Field(None, description="Mail server for alerts; STARTTLS is used where it is offered.")
    smtp_port: Port = Field(587, description="Port of the mail server; 465 means TLS from the start.")
    smtp_username: str | None = Field(None, description="User at the mail server, where it asks for one.")
    smtp_password: SecretStr | None = Field(None, description="Password at the mail server.")
    smtp_from: str | None = Field(None, description="Sender of the mails. Default: SMTP_USERNAME.")
    alert_email_to: str | None = Field(None, description="Who gets the mails, separated by commas.")
    notify_urls: SecretStr | None = Field(
        None, description="Apprise addresses of further channels (Teams, Discord, PagerDuty …), separated by commas."
    )
    digest_schedule: str = Field(
        "mon 08:00",
        description="When the weekly digest goes to the channels of alerts: `mon 08:00`, or `off`.",
        pattern=r"^(off|(mon|tue|wed|thu|fri|sat|sun) ([01]\d|2[0-3]):[0-5]\d)$",
    )
    digest_timezone: str = Field("UTC", description="Time zone (IANA) of the digest: `Europe/Berlin`.")
    demo_mode: bool = Field(False, description="Allow listening beyond loopback without a write key. For demos only.")
    max_body_bytes: int = Field(1_048_576, ge=1024, description="Largest request body accepted, in bytes.")
    frontend_origin: str = Field(
        "http://localhost:8501", description="Where people reach the dashboard; used in links."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least severe log line printed."
    )
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="How log lines look; `auto` is `console` on a terminal and `json` elsewhere."
    )
    delivery_retention_days: int = Field(7, ge=1, description="Days for which webhook deliveries are kept.")
    archive_after_days: int = Field(
        0,
        ge=0,
        description="Days after which runs move from the database to Parquet files, 190 at least; 0 keeps them.",
    )
    archive_folder: str | None = Field(
        None,
        description="Where those files go: a folder, or `s3://bucket/prefix`. Default: the folder `archive` beside the "
        "DuckDB file; on PostgreSQL, where all processes and dashboards must reach it, there is none.",
    )
    aws_access_key_id: str | None = Field(
        None, description="Key of the bucket. Default: as Amazon's tools find it (profile, role of the machine)."
    )
    aws_secret_access_key: SecretStr | None = Field(None, description="The secret of that key.")
    aws_session_token: SecretStr | None = Field(None, description="The token of a key that is valid for some hours.")
    aws_region: str | None = Field(None, description="Region of the bucket. Default: `us-east-1`.")
    aws_endpoint_url: str | None = Field(
        None, description="Where the bucket is, if not at Amazon: `https://minio.example.org:9000`."
    )
    run_retention_days: int = Field(0, ge=0, description="Days for which runs are kept; 0 keeps them for ever.")

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if not re.match(r"^(duckdb:///.+|(postgres|postgresql)(\+[a-z0-9]+)?://.+)", value):
            raise ValueError("must look like duckdb:///data/health.duckdb or postgresql://user:password@host:5432/name")
        return value

    @field_validator("archive_after_days")
    @classmethod
    def _beyond_every_window(cls, value: int) -> int:
        # A window of 90 days is compared with the 90 days before it.
        if 0 < value < 190:
            raise ValueError("must be 0, or 190 at least: what pages compare is computed from what is in the database")
        return value

    @field_validator("redis_url")
    @classmethod
    def _known_redis(cls, value: str | None) -> str | None:
        if value and not re.match(r"^(rediss?|unix)://.+", value):
            raise ValueError("must look like redis://:password@host:6379/0")
        return value

    @field_validator("webhook_secrets", "webhook_secrets_previous")
    @classmethod
    def _long_enough(cls, value: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, secret in value.items():
            if len(secret.get_secret_value()) < 8:
                raise ValueError(f"the secret of {name} must have at least 8 characters")
        return NamedSecrets(value)

    @field_validator("gitlab_webhook_signing_token")
    @classmethod
    def _signing_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not re.fullmatch(r"whsec_[A-Za-z0-9+/]{16,}={0,2}", value.get_secret_value()):
            raise ValueError("must be the whole token that GitLab showed: whsec_ and then base64")
        return value

    @field_validator("ingest_url", "frontend_origin")
    @classmethod
    def _http_address(cls, value: str) -> str:
        if not re.match(r"^https?://[^/\s]+/?$", value):
            raise ValueError("must be an address such as http://127.0.0.1:8000, without a path")
        return value.rstrip("/")

    @field_validator("oidc_issuer")
    @classmethod
    def _issuer_address(cls, value: str | None) -> str | None:
        loopback = value and re.match(r"^http://(127\.0\.0\.1|localhost|\[::1\])[:/]", value)
        if value and not loopback and not value.startswith("https://"):
            raise ValueError("must be an https address (http only on loopback)")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        for entry in filter(None, (part.strip() for part in value.split(","))):
            try:
                ip_network(entry, strict=False)
            except ValueError:
                raise ValueError(f"{entry} is no address and no network such as 10.1.0.0/16") from None
        return value

    @model_validator(mode="after")
    def _archive_is_shared(self) -> "Settings":
        if self.archive_after_days and self.is_shared and not self.archive_folder:
            raise ValueError(
                "ARCHIVE_AFTER_DAYS: on PostgreSQL needs ARCHIVE_FOLDER, which every process and dashboard reaches: a "
                "shared folder, or a bucket (s3://…)"
            )
        return self

    @field_validator("archive_folder")
    @classmethod
    def _folder_or_bucket(cls, value: str | None) -> str | None:
        if value and "://" in value and not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^/?#]+)*/?", value):
            raise ValueError("must be a folder, or a bucket such as s3://my-bucket/ci-archive")
        return value

    @field_validator("aws_endpoint_url")
    @classmethod
    def _endpoint_address(cls, value: str | None) -> str | None:
        if value and not re.fullmatch(r"https?://[^/\s?#@]+/?", value):
            raise ValueError("must be an address such as https://minio.example.org:9000, without a path")
        return value and value.rstrip("/")

    @model_validator(mode="after")
    def _key_and_secret(self) -> "Settings":
        if bool(self.aws_access_key_id) != bool(self.aws_secret_access_key):
            raise ValueError("AWS_ACCESS_KEY_ID: needs AWS_SECRET_ACCESS_KEY too, and the other way round")
        return self

    @model_validator(mode="after")
    def _issuer_is_of_use(self) -> "Settings":
        if self.oidc_issuer and not (self.oidc_audience or self.oidc_client_id):
            raise ValueError(
                "OIDC_ISSUER: needs OIDC_AUDIENCE (its tokens at the API), OIDC_CLIENT_ID (signing in to the "
                "dashboard), or both"
            )
        missing = [name for name in ("oidc_issuer", "oidc_client_secret", "jwt_secret") if not getattr(self, name)]
        if self.oidc_client_id and missing:
            raise ValueError(f"OIDC_CLIENT_ID: needs {', '.join(missing).upper()} too (see docs/security.md)")
        return self

    @field_validator("github_api_url", "gitlab_url", "jenkins_url", "buildbot_url")
    @classmethod
    def _api_address(cls, value: str | None) -> str | None:
        if value and not re.match(r"^https?://[^/\s?#@]+(/[^\s?#]*)?$", value):
            raise ValueError("must be an address such as https://ci.example.org or https://example.org/api/v3")
        return value and value.rstrip("/")

    @field_validator("github_repositories")
    @classmethod
    def _repositories(cls, value: str) -> str:
        for name in split_list(value):
            if not re.fullmatch(r"[\w.-]+/([\w.-]+|\*)", name, re.ASCII):
                raise ValueError(f"'{name}' is no repository; write owner/name or owner/*, separated by commas")
        return value

    @field_validator("gitlab_projects")
    @classmethod
    def _projects(cls, value: str) -> str:
        for name in split_list(value):
            if not re.fullmatch(r"[\w.-]+(/[\w.-]+)*/([\w.-]+|\*)", name, re.ASCII):
                raise ValueError(f"'{name}' is no project; write group/project or group/*, separated by commas")
        return value

    @field_validator("digest_timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"'{value}' is no time zone such as Europe/Berlin") from None
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @property
    def is_shared(self) -> bool:
        """True where the data lives in PostgreSQL, which several processes write to."""
        return not self.database_url.startswith("duckdb:")

    @property
    def database_path(self) -> Path:
        """The DuckDB file: `duckdb:///data/x` is relative to the working directory, `duckdb:////var/x` absolute."""
        return Path(self.database_url.removeprefix("duckdb:///"))

    @property
    def archive_bucket(self) -> bool:
        """True where the archive is in a bucket."""
        return (self.archive_folder or "").startswith("s3://")

    @property
    def archive_path(self) -> Path:
        """Where archived files are read on this machine: the archive itself, or copies of what is in the bucket."""
        if self.archive_folder and not self.archive_bucket:
            return Path(self.archive_folder)
        return (Path("data") if self.is_shared else self.database_path.parent) / "archive"

    @property
    def quack_token_path(self) -> Path:
        return self.database_path.parent / "quack.token"

    def before_rotation(self) -> "Settings":
        """These settings with every `<name>_previous` in the place of `<name>`: in use during a change."""
        suffix = "_previous"
        kept = {name: getattr(self, name) for name in type(self).model_fields if name.endswith(suffix)}
        return self.model_copy(update={name.removesuffix(suffix): value for name, value in kept.items() if value})

    def check_exposure(self, host: str) -> None:
        """Raise BadSetting if listening on `host` would let strangers write."""
        if is_loopback(host) or self.api_write_key or self.demo_mode:
            return
        raise BadSetting(
            f"INGEST_HOST={host} is reachable from other machines, but no API_WRITE_KEY is set.",
            hint="Set API_WRITE_KEY, listen on 127.0.0.1, or set DEMO_MODE=true to allow it anyway.",
        )


def split_list(value: str) -> list[str]:
    """The parts of a comma-separated setting, each once, in their order."""
    return list(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))


def is_loopback(host: str) -> bool:
    """True for `localhost` and loopback addresses; a name that is no address counts as reachable from outside."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def load_settings(**overrides: object) -> Settings:
    """Read and validate the environment. Raises BadSetting naming each bad variable and what is wrong with it."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        raise BadSetting("Bad setting: " + "; ".join(_sentence(dict(e)) for e in error.errors()) + ".") from None


@lru_cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return load_settings()


def _sentence(error: dict[str, object]) -> str:
    location = error["loc"]
    assert isinstance(location, tuple)
    reason = str(error["msg"]).removeprefix("Value error, ")
    if not location:  # a rule about several settings names them itself
        return reason
    return f"{str(location[0]).upper()}: {reason[0].lower()}{reason[1:]}"
