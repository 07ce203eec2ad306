"""What stands before the pages: signing in, how to configure it, and who is signed in."""

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from core.settings import Settings
from dashboard.parts.formats import plain
from dashboard.visitor import Visitor


def draw_door(chosen: Settings) -> None:
    """For a stranger: the button where sign-in is configured, else how to configure it. Nothing else is shown."""
    _, middle, _ = st.columns([1, 2, 1])
    with middle, st.container(border=True, key="door"):
        st.title("CI/CD Health", anchor=False)
        if chosen.oidc_client_id:
            st.markdown("Sign in to see how your pipelines are.")
            st.button("Sign in", type="primary", icon=":material/login:", on_click=st.login)
        else:
            _how_to(chosen)


def _how_to(chosen: Settings) -> None:
    st.header("Who may see this dashboard?", anchor=False)
    st.markdown(
        "It can be reached from other machines, but nothing says who may look, so nothing is shown. "
        "Set one of these for the dashboard and start it again:"
    )
    st.markdown("**People sign in** with your OpenID Connect provider (Keycloak, Entra, Okta, Google …):")
    st.code(
        "OIDC_ISSUER=https://login.example.org\n"
        "OIDC_CLIENT_ID=cicd-health\n"
        "OIDC_CLIENT_SECRET=…\n"
        "JWT_SECRET=…  # a long random text, the same for the ingest service\n"
        f"FRONTEND_ORIGIN={chosen.frontend_origin}",
        language="bash",
    )
    st.markdown("Name this redirect address to the provider:")
    st.code(f"{chosen.frontend_origin}/oauth2callback", language=None)
    st.markdown("**Everybody who can reach it** may look (for a closed network, or behind a proxy that asks):")
    st.code("DASHBOARD_ANONYMOUS_ROLE=viewer  # or operator, admin", language="bash")


def draw_no_role(visitor: Visitor) -> None:
    """For somebody who signed in but may see nothing."""
    _, middle, _ = st.columns([1, 2, 1])
    with middle, st.container(border=True, key="door"):
        st.title("CI/CD Health", anchor=False)
        st.markdown(f"You are signed in as **{plain(visitor.name)}**, who has no role here yet.")
        st.markdown("Ask somebody with the role admin to give you one.")
        st.button("Sign out", icon=":material/logout:", on_click=st.logout)


def pages(visitor: Visitor, chosen: Settings) -> dict[str, list[StreamlitPage]]:
    """The menu of whoever looks: to sign out, or to sign in where one may look without."""
    if visitor.name:
        title = plain(visitor.name)
        return {title: [st.Page(_sign_out, title="Sign out", icon=":material/logout:", url_path="sign-out")]}
    if chosen.oidc_client_id:
        return {"Account": [st.Page(_sign_in, title="Sign in", icon=":material/login:", url_path="sign-in")]}
    return {}


def _sign_out() -> None:
    st.logout()


def _sign_in() -> None:
    st.login()
