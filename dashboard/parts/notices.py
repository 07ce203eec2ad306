"""What a page says when there is nothing, when something is away, and when the data isn't real."""

import streamlit as st

from core.errors import DashboardError
from core.settings import settings


def failure(error: DashboardError) -> None:
    """An expected failure as a sentence and what to do about it."""
    st.error(_plain(error.message), icon=":material/error:")
    if error.hint:
        st.text(error.hint)


def offline() -> None:
    """The service is away; what is shown comes from its file."""
    st.warning(
        "The ingest service isn't running. You see what its database held when it stopped; new runs don't arrive and "
        "alerts can't be acknowledged. Start it with `make run`.",
        icon=":material/cloud_off:",
    )


def simulated() -> None:
    """Said on every page of a demo."""
    st.badge("Simulated data – an invented company", icon=":material/science:", color="violet")


def first_steps() -> None:
    """The page of an empty database."""
    with st.container(border=True):
        st.subheader("No runs yet")
        st.markdown(
            "Add a webhook to a repository or an organisation on GitHub "
            "(**Settings → Webhooks → Add webhook**) and let a workflow run:"
        )
        st.markdown("**Payload URL** – the address under which GitHub reaches this machine, followed by this path:")
        st.code(f"{settings().ingest_url}/api/v1/webhook/github-actions", language=None)
        st.markdown(
            "**Content type** `application/json` · **Secret** the value of `GITHUB_WEBHOOK_SECRET` · "
            "**Events** *Workflow runs* and *Workflow jobs*"
        )
        st.markdown("To look around first, stop this and start `make demo`: it shows a simulated company.")


def _plain(text: str) -> str:
    """Text without a meaning in Markdown."""
    return "".join("\\" + sign if sign in r"\`*_{}[]()#+-!|<>~$:" else sign for sign in text)
