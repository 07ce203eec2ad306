"""The cast: Brightloop, a company that doesn't exist, its repositories, workflows and people."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Workflow:
    """`minutes`: typical duration; `failure`: chance that a run fails; `nightly`: runs at night, not on pushes."""

    name: str
    jobs: tuple[str, ...]
    minutes: float
    failure: float
    nightly: bool = False


@dataclass(frozen=True, slots=True)
class Repository:
    """`pushes`: on a usual weekday."""

    id: int
    name: str
    provider: str
    pushes: float
    workflows: tuple[Workflow, ...]
    default_branch: str = "main"


LINT = Workflow("Lint", ("lint",), 1.2, 0.04)


def _ci(minutes: float, failure: float, *jobs: str) -> Workflow:
    return Workflow("CI", jobs or ("build", "unit tests", "integration tests"), minutes, failure)


DEPLOY = Workflow("Deploy", ("build image", "deploy staging", "smoke test", "deploy production"), 9, 0.05)
NIGHTLY = Workflow("Nightly", ("end to end", "load test"), 38, 0.14, nightly=True)

REPOSITORIES: tuple[Repository, ...] = (
    Repository(81001, "brightloop/web", "github-actions", 9, (_ci(7, 0.09), LINT, DEPLOY, NIGHTLY)),
    Repository(81002, "brightloop/api", "github-actions", 8, (_ci(11, 0.08), LINT, DEPLOY)),
    Repository(81003, "brightloop/mobile", "github-actions", 5, (_ci(19, 0.14, "android", "ios", "unit tests"), LINT)),
    Repository(81004, "brightloop/payments", "github-actions", 3, (_ci(13, 0.05), DEPLOY)),
    Repository(81005, "brightloop/search", "github-actions", 3, (_ci(8, 0.10), NIGHTLY)),
    Repository(81006, "brightloop/design-system", "github-actions", 4, (_ci(5, 0.06, "build", "visual tests"), LINT)),
    Repository(81007, "brightloop/infrastructure", "github-actions", 2, (Workflow("Plan", ("plan",), 3, 0.11), DEPLOY)),
    Repository(
        81008, "brightloop/docs", "github-actions", 2, (Workflow("Publish", ("build", "publish"), 2, 0.03),), "trunk"
    ),
    Repository(81009, "brightloop/notifications", "github-actions", 3, (_ci(6, 0.07), DEPLOY)),
    Repository(81010, "brightloop/billing-export", "gitlab", 3, (_ci(12, 0.08, "compile", "test", "package"), DEPLOY)),
    Repository(81011, "brightloop/data-pipeline", "gitlab", 3, (_ci(16, 0.11, "test", "dbt build"), NIGHTLY), "master"),
    Repository(
        81012, "brightloop/legacy-erp", "jenkins", 2, (_ci(24, 0.12, "Build", "Test", "Archive"), NIGHTLY), "master"
    ),
)

PEOPLE = (
    ("Ana Duarte", "anaduarte"), ("Björn Falk", "bfalk"), ("Chidi Okafor", "chidi-o"), ("Dilara Aydın", "dilara"),
    ("Emil Novák", "emilnovak"), ("Fatima Zahra", "fzahra"), ("Grace Lin", "gracelin"), ("Hugo Martins", "hmartins"),
)  # fmt: skip

SUBJECTS = (
    "Fix flicker of the cart badge",
    "Cache price lookups",
    "Drop support for the old export",
    "Retry on 503 from the bank",
    "Add an index for the order search",
    "Bump dependencies",
    "Move date handling to one place",
    "Show the VAT id on invoices",
    "Speed up the first paint",
    "Rename customer to account",
    "Handle an empty result in search",
    "Log the request id",
    "Remove a dead feature flag",
    "Use the new colour tokens",
    "Make the migration reversible",
    "Limit upload size",
    "Translate the checkout",
    "Fix a race in the session store",
    "Add contract tests",
    "Document the webhook",
)

BRANCHES = (
    "feature/checkout-v2", "fix/session-race", "chore/bump-dependencies", "feature/vat-invoices", "fix/empty-search",
    "feature/dark-theme", "refactor/dates", "perf/first-paint",
)  # fmt: skip

# What ends badly today: (repository, workflow) pairs whose last run on the default branch failed.
BROKEN_NOW = (("brightloop/mobile", "CI"), ("brightloop/search", "Nightly"), ("brightloop/infrastructure", "Plan"))
SLOWED_DOWN = ("brightloop/api", "CI")
SLOW_COMMIT = "Run the integration tests against a real broker"
FLAKY_JOBS = (
    ("brightloop/web", "integration tests"),
    ("brightloop/mobile", "ios"),
    ("brightloop/data-pipeline", "test"),
)
