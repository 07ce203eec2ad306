"""What each provider's folder says of itself to people.

`about.toml`: its name and icon. `setup.md`: how its webhook is set up; the page puts the real address in the place of
`<address>`. `polling.md`, where it can be polled: how that is set up.
"""

import tomllib
from collections.abc import Collection
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, Field

from core.settings import Settings
from core.store.providers import ProviderRow
from ingest.providers import webhooks


class About(BaseModel):
    """`icon` is a name of fonts.google.com/icons; `settings` hold the secret, any of them will do.

    `place` orders the set-up page. Where the system can be polled, `polling_settings` name what must be set.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    icon: str = Field(pattern=r"^[a-z0-9_]+$")
    place: int = 50
    settings: list[str] = Field(min_length=1)
    polling_settings: list[str] = Field(default_factory=list)


def provider_rows(settings: Settings, polled: Collection[str]) -> list[ProviderRow]:
    """Every provider as pages are told of it; `polled` names those that are being polled.

    Raises OSError or ValidationError for a folder that says too little of itself.
    """
    found = []
    for provider, webhook in webhooks().items():
        folder = files(webhook.__name__.rpartition(".")[0])
        said = About.model_validate(tomllib.loads((folder / "about.toml").read_text()))
        polling = folder / "polling.md"
        row = ProviderRow(
            provider=provider,
            name=said.name,
            icon=said.icon,
            place=said.place,
            settings=",".join(said.settings),
            steps=(folder / "setup.md").read_text(),
            polling_settings=",".join(said.polling_settings) or None,
            polling_steps=polling.read_text() if polling.is_file() else None,
            is_secured=webhook.secret_of(settings) is not None,
            is_polled=provider in polled,
        )
        found.append(row)
    return found
