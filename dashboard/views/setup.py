"""How to connect each CI system: the address, the secret's place, and whether anything has arrived."""

from datetime import UTC, datetime
from typing import Any

import streamlit as st

from core.settings import Settings, settings
from dashboard import data
from dashboard.parts import notices
from dashboard.parts.formats import first_line, missing, plain, relative
from dashboard.reads.providers import Provider, described, polling

CHECK_EVERY = "5s"
# What a delivery's result means for whoever sets a webhook up.
VERDICTS = {
    "processed": ("It works.", "green", ":material/check_circle:"),
    "ignored": ("It arrives; that event isn't used.", "blue", ":material/info:"),
    "failed": ("It arrives, but can't be understood.", "red", ":material/error:"),
}


@notices.explained
def set_up() -> None:
    """Title, then one section for each system; those that send or are polled come first."""
    fresh = data.freshness()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title("Connect your CI systems", anchor=False, width="content")
        notices.simulated_label(fresh)
    notices.offline_banner(data.source())
    st.markdown(
        "A system that can reach the ingest service sends its runs by **webhook**, at once. Where it can't, or where "
        "no run may be missed, some are also **polled**. Webhooks come to the addresses below; behind a proxy, put the "
        "public name in their place. Choose a secret of your own, long and random, and set it on both sides."
    )
    heard = data.last_deliveries()
    linked = st.query_params.get("provider")
    known = described()
    if not known:
        st.info("Start the ingest service once (`make run`): it tells this page which systems there are.")
    for one in sorted(known.values(), key=lambda one: one.provider not in heard and not one.is_polled):
        states = [word for word, holds in (("sends", one.provider in heard), ("polled", one.is_polled)) if holds]
        label = " · ".join([f"**{one.name}**", *states])
        with st.expander(label, expanded=one.provider == linked, icon=f":material/{one.icon}:"):
            _section(one, settings())


def _section(one: Provider, chosen: Settings) -> None:
    address = f"{chosen.ingest_url}/api/v1/webhook/{one.provider}"
    st.markdown("## Webhook")
    st.code(address, language=None, wrap_lines=True)
    _heard(one.provider)
    wanted = " or ".join(f"`{name}`" for name in one.settings)
    if one.is_secured:
        st.markdown(f"**Secret**: {wanted} is set; calls that don't prove it get 401.")
    else:
        st.markdown(
            f"**Secret**: not set. Set {wanted} in `.env` and start the service again; until then {_open(chosen)}."
        )
    st.markdown(one.steps.replace("<address>", address))
    if one.polling_steps:
        st.markdown("## Polling")
        _polled(one)
        st.markdown(one.polling_steps)


def _open(chosen: Settings) -> str:
    return "calls need the header `X-API-KEY`" if chosen.api_write_key else "every call is accepted"


@st.fragment(run_every=CHECK_EVERY)
@notices.explained
def _heard(provider: str) -> None:
    """When the newest call came, and what became of it; looks again by itself."""
    last = data.last_deliveries().get(provider)
    if last is None:
        st.badge("No delivery yet. This line notices the first one by itself.", icon=":material/pending:", color="gray")
        return
    verdict, colour, icon = VERDICTS.get(str(last["last_result"]), VERDICTS["ignored"])
    st.badge(f"Last delivery {_ago(last['last_at'])}. {verdict}", icon=icon, color=colour)  # type: ignore[arg-type]
    if last["last_result"] == "failed":
        st.markdown(plain(first_line(last["last_reason"])))


@st.fragment(run_every=CHECK_EVERY)
@notices.explained
def _polled(one: Provider) -> None:
    """When polling last heard from the system, and what is wrong with the repositories that fail."""
    state = polling().get(one.provider)
    if not one.is_polled:
        st.badge("Not polled.", icon=":material/pending:", color="gray")
    elif state is None:
        st.badge("The first round is under way.", icon=":material/pending:", color="gray")
    elif state["failing"]:
        st.badge(
            f"{_count(state['failing'])} of {_count(state['repositories'])} fail.", icon=":material/error:", color="red"
        )
        st.markdown(plain(state["an_error"]))
    elif missing(state["last_success_at"]):
        st.badge("No answer yet.", icon=":material/pending:", color="gray")
    else:
        answered = f"Last answer {_ago(state['last_success_at'])}, {_count(state['repositories'])} polled. It works."
        st.badge(answered, icon=":material/check_circle:", color="green")


def _count(number: Any) -> str:
    return f"{int(number):,}"


def _ago(at: datetime) -> str:
    now = datetime.now(UTC)
    seconds = (now - at).total_seconds()
    return f"{max(0, round(seconds))} s ago" if seconds < 60 else relative(at, now)


set_up()
