"""How pages show the CI systems: by name and icon. One that ingest doesn't describe is shown by its own word."""

from dashboard.reads.providers import described

ICON_OF_OTHERS = "webhook"


def name_of(provider: str) -> str:
    """`GitHub Actions` of `github-actions`."""
    known = described().get(provider)
    return known.name if known else provider


def icon_of(provider: str) -> str:
    """The name of a Material icon: `hub`."""
    known = described().get(provider)
    return known.icon if known else ICON_OF_OTHERS


def names() -> dict[str, str]:
    """The names of all systems."""
    return {provider: known.name for provider, known in described().items()}
