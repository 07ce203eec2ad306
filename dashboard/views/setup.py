"""How to connect each CI system: the address, the secret's place, and whether anything has arrived."""

from datetime import UTC, datetime
from typing import Any

import streamlit as st

from core.settings import Settings, settings
from dashboard import data
from dashboard.parts import notices
from dashboard.parts.formats import first_line, plain, relative
from dashboard.parts.providers import PROVIDER_NAMES, SET_UPS

CHECK_EVERY = "5s"
# What a delivery's result means for whoever sets a webhook up.
VERDICTS = {
    "processed": ("It works.", "green", ":material/check_circle:"),
    "ignored": ("It arrives; that event isn't used.", "blue", ":material/info:"),
    "failed": ("It arrives, but can't be understood.", "red", ":material/error:"),
}


@notices.explained
def set_up() -> None:
    """Title, then one section for each system; the ones that send come first."""
    st.title("Connect your CI systems", anchor=False)
    notices.offline_banner(data.source())
    st.markdown(
        "Each system sends its runs to an address of the ingest service. It must be able to reach that "
        "address; behind a "
        "proxy, put the public name in its place. Choose a secret of your own, long and random, and set it "
        "on both sides."
    )
    heard = data.last_deliveries()
    linked = st.query_params.get("provider")
    for provider in sorted(SET_UPS, key=lambda name: (name not in heard, list(SET_UPS).index(name))):
        label = PROVIDER_NAMES[provider] + (" · has sent" if provider in heard else "")
        with st.expander(label, expanded=provider == linked, icon=":material/webhook:"):
            _section(provider, settings())


def _section(provider: str, chosen: Settings) -> None:
    st.code(f"{chosen.ingest_url}/api/v1/webhook/{provider}", language=None, wrap_lines=True)
    st.markdown(SET_UPS[provider].steps)
    names = SET_UPS[provider].settings
    wanted = " or ".join(f"`{name.upper()}`" for name in names)
    if any(getattr(chosen, name) for name in names):
        st.markdown(f"**Secret**: {wanted} is set; calls that don't prove it get 401.")
    else:
        st.markdown(
            f"**Secret**: not set. Set {wanted} in `.env` and start the service again; until then {_open(chosen)}."
        )
    _checked(provider)


def _open(chosen: Settings) -> str:
    return "calls need the header `X-API-KEY`" if chosen.api_write_key else "every call is accepted"


@st.fragment(run_every=CHECK_EVERY)
@notices.explained
def _checked(provider: str) -> None:
    """When the newest call came, and what became of it; looks again by itself."""
    last = data.last_deliveries().get(provider)
    if last is None:
        st.badge("No delivery yet. This line notices the first one by itself.", icon=":material/pending:", color="gray")
        return
    verdict, colour, icon = VERDICTS.get(str(last["last_result"]), VERDICTS["ignored"])
    st.badge(f"Last delivery {_ago(last)}. {verdict}", icon=icon, color=colour)  # type: ignore[arg-type]
    if last["last_result"] == "failed":
        st.markdown(plain(first_line(last["last_reason"])))


def _ago(last: dict[str, Any]) -> str:
    now = datetime.now(UTC)
    seconds = (now - last["last_at"]).total_seconds()
    return f"{max(0, round(seconds))} s ago" if seconds < 60 else relative(last["last_at"], now)


set_up()
