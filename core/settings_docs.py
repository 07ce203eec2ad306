"""`python -m core.settings_docs` writes `.env.example` and `docs/settings.md` from the settings themselves."""

from pathlib import Path

from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from core.settings import Settings

ROOT = Path(__file__).parent.parent

HEADER = """# Settings

Read from the environment, then from a file `.env` in the working directory. Every value is checked when a process
starts; a bad one ends the start with a line that names it. An empty value counts as not set. This table is made by
`python -m core.settings_docs`.

| Variable | Default | Meaning |
|---|---|---|
"""


def example() -> str:
    """The text of `.env.example`: every setting with its default, commented out."""
    lines = ["# Copy to .env and uncomment what you change. Every value is checked at start.", ""]
    for name, default, description in _rows():
        lines += [f"# {description}", f"# {name}={default}", ""]
    return "\n".join(lines)


def guide() -> str:
    """The text of `docs/settings.md`."""
    return HEADER + "".join(
        f"| `{name}` | {f'`{default}`' if default else '–'} | {description} |\n"
        for name, default, description in _rows()
    )


def _rows() -> list[tuple[str, str, str]]:
    return [
        (name.upper(), _text(field.default), field.description or "") for name, field in Settings.model_fields.items()
    ]


def _text(default: object) -> str:
    if default is None or default is PydanticUndefined or isinstance(default, SecretStr):
        return ""
    return str(default).lower() if isinstance(default, bool) else str(default)


if __name__ == "__main__":
    (ROOT / ".env.example").write_text(example())
    (ROOT / "docs" / "settings.md").write_text(guide())
