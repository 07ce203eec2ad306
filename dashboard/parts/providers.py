"""The CI systems by name, and how each is set up: what a person pastes where. docs/providers.md says more."""

from dataclasses import dataclass

PROVIDER_NAMES = {
    "github-actions": "GitHub Actions",
    "gitlab": "GitLab CI",
    "jenkins": "Jenkins",
    "buildbot": "Buildbot",
    "circleci": "CircleCI",
    "azure-pipelines": "Azure Pipelines",
    "bitbucket": "Bitbucket Pipelines",
    "buildkite": "Buildkite",
    "travis": "Travis CI",
    "cdevents": "CDEvents",
    "generic": "Any other system",
}


@dataclass(frozen=True, slots=True)
class SetUp:
    """`settings` are the fields of Settings that hold the secret (any of them will do), `steps` Markdown of our own."""

    settings: tuple[str, ...]
    steps: str


SET_UPS: dict[str, SetUp] = {
    "github-actions": SetUp(
        ("github_webhook_secret",),
        "1. Open the repository's (or the organisation's) **Settings → Webhooks → Add webhook**.\n"
        "2. Paste the address as **Payload URL**, choose `application/json`, and the secret as **Secret**.\n"
        "3. Choose *Let me select individual events*: **Workflow runs** and **Workflow jobs**.",
    ),
    "gitlab": SetUp(
        ("gitlab_webhook_signing_token", "gitlab_webhook_token"),
        "1. Open the project's (or the group's) **Settings → Webhooks → Add new webhook** and paste the "
        "address as **URL**.\n"
        "2. Paste the secret as **Secret token**; or generate a **Signing token** (newer GitLab) and set it here.\n"
        "3. Choose **Pipeline events** and **Job events**.",
    ),
    "jenkins": SetUp(
        ("jenkins_webhook_secret",),
        "Pipelines: keep the secret as a *Secret text* credential and add the `post` step of "
        "`docs/providers.md`, which "
        "signs.\n\nOther jobs: install the **Notification** plugin; in the job, **Job Notifications → Add "
        "Endpoint**: format "
        "*JSON*, protocol *HTTP*, event *All Events*, and as URL the address with `jenkins:<secret>@` before its host.",
    ),
    "buildbot": SetUp(
        ("buildbot_webhook_secret",),
        'In `master.cfg`: `reporters.HttpStatusPush("<address>", auth=("buildbot", "<secret>"))`. '
        "`docs/providers.md` shows how steps come along.",
    ),
    "circleci": SetUp(
        ("circleci_webhook_secret",),
        "1. Open **Project Settings → Webhooks → Add Webhook** and paste the address and the secret.\n"
        "2. Choose **Workflow Completed** and **Job Completed**. CircleCI tells only of what is over.",
    ),
    "azure-pipelines": SetUp(
        ("azure_webhook_secret",),
        "1. Open **Project settings → Service hooks → Create subscription → Web Hooks**.\n"
        "2. Choose **Build completed**; a second subscription for **Run state changed** shows running builds too.\n"
        "3. Paste the address as **URL**, any user name, and the secret as **Basic authentication password**.",
    ),
    "bitbucket": SetUp(
        ("bitbucket_webhook_secret",),
        "1. Open **Repository settings → Webhooks → Add webhook** and paste the address and the secret.\n"
        "2. Choose from a full list: **Build status created** and **Build status updated**.",
    ),
    "buildkite": SetUp(
        ("buildkite_webhook_token",),
        "1. Open **Settings → Notification Services → Add → Webhook** and paste the address and the secret "
        "as **Token**; "
        "choose the signature, which is safer.\n"
        "2. Choose the **build** and **job** events.",
    ),
    "travis": SetUp(
        ("travis_public_key",),
        "Add to `.travis.yml`: `notifications: {webhooks: {urls: [<address>], on_start: always}}`. Travis "
        "signs with its own "
        "key: set the public one of `https://api.travis-ci.com/config` here.",
    ),
    "cdevents": SetUp(
        ("cdevents_webhook_secret",),
        "Send CDEvents as CloudEvents over HTTP, binary or structured, with the secret as the header "
        "`X-Webhook-Token` or "
        "with `X-Signature-256: sha256=<HMAC-SHA256 of the body>`.",
    ),
    "generic": SetUp(
        ("generic_webhook_secret",),
        "Send one JSON object for each change of a run; `docs/generic.md` lists the fields. The secret goes "
        "into the header "
        "`X-Webhook-Token`, or signs the body as `X-Signature-256: sha256=<HMAC-SHA256>`.",
    ),
}
