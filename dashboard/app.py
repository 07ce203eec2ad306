"""The dashboard's entry: `streamlit run dashboard/app.py`. Sets the page up and says which pages there are."""

import sys
from pathlib import Path

# Streamlit puts this file's folder on the path; `core` and `dashboard` are importable from the folder above.
ROOT = str(Path(__file__).resolve().parent.parent)
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

import streamlit as st  # noqa: E402

from core.settings import settings  # noqa: E402
from dashboard import data, server  # noqa: E402
from dashboard.parts import sign_in  # noqa: E402
from dashboard.parts.notices import explained  # noqa: E402

# Less air around the page than Streamlit's default, so that tiles, chart and alerts fit one screen. Two of its texts
# are below a contrast of 4.5 : 1: captions (its opacity takes links along), and white on the dark theme's main button.
# Segmented controls are as high as the other filters in a row with them.
STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding: 4rem 2rem 2rem; max-width: 1680px; }
@media (max-width: 640px) { [data-testid="stMainBlockContainer"] { padding: 4rem 0.9rem 2rem; } }
[data-testid="stCaptionContainer"] { opacity: 1; color: color-mix(in srgb, currentColor 68%, transparent); }
[data-testid="stButtonGroup"] [role="radiogroup"] button { min-height: 2.5rem; }
button[data-testid^="stBaseButton-primary"]:enabled { color: light-dark(#ffffff, #10141c); }
</style>"""


@explained
def main() -> None:
    st.set_page_config(page_title="CI/CD Health", page_icon=str(Path(__file__).with_name("icon.svg")), layout="wide")
    st.html(STYLE)
    visitor = data.visitor()
    if visitor is None:
        sign_in.draw_door(settings())
        return
    if visitor.role is None:
        sign_in.draw_no_role(visitor)
        return
    pages = {
        "": [
            st.Page("views/overview.py", title="Overview", icon=":material/monitor_heart:", default=True),
            st.Page("views/runs.py", title="Runs", icon=":material/list:"),
            st.Page("views/alerts.py", title="Alerts", icon=":material/notifications:"),
            st.Page("views/pipelines.py", title="Pipelines", icon=":material/account_tree:"),
        ],
        "Insights": [
            st.Page("views/failures.py", title="Failures", icon=":material/troubleshoot:"),
            st.Page("views/flaky.py", title="Flaky jobs", icon=":material/casino:"),
            st.Page("views/regressions.py", title="Regressions", icon=":material/trending_up:"),
            st.Page("views/dora.py", title="DORA metrics", icon=":material/rocket_launch:"),
            st.Page("views/cost.py", title="Cost and capacity", icon=":material/payments:"),
            st.Page("views/digest.py", title="Weekly digest", icon=":material/newspaper:"),
            st.Page("views/explore.py", title="Explore", icon=":material/database_search:"),
        ],
        "Operate": [
            st.Page("views/alert_settings.py", title="Alert settings", icon=":material/tune:"),
            st.Page("views/setup.py", title="Set up", icon=":material/webhook:"),
            st.Page("views/ingest.py", title="Ingest health", icon=":material/vital_signs:"),
            st.Page("views/settings.py", title="Settings", icon=":material/admin_panel_settings:"),
        ],
        "Hidden": [
            st.Page("views/run.py", title="Run", visibility="hidden"),
            st.Page("views/pipeline.py", title="Pipeline", visibility="hidden"),
            st.Page("views/alert.py", title="Alert", visibility="hidden"),
            st.Page("views/log.py", title="Log", visibility="hidden"),
        ],
    }
    st.navigation(pages | sign_in.pages(visitor, settings()), position="top").run()


if __name__ == "__main__":
    main()  # for each drawing of a page, Streamlit runs this file as a script
else:
    # `streamlit run` sees the App below and imports this file to serve it.
    # https://docs.streamlit.io/develop/api-reference/app
    app = st.App(Path(__file__), **server.options())
