"""The dashboard's entry: `streamlit run dashboard/app.py`. Sets the page up and says which pages there are."""

import sys
from pathlib import Path

# Streamlit puts this file's folder on the path; `core` and `dashboard` are importable from the folder above.
ROOT = str(Path(__file__).resolve().parent.parent)
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

import streamlit as st  # noqa: E402

from dashboard.parts.notices import explained  # noqa: E402

# Less air around the page than Streamlit's default, so that tiles, chart and alerts fit one screen.
STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding: 4rem 2rem 2rem; max-width: 1680px; }
@media (max-width: 640px) { [data-testid="stMainBlockContainer"] { padding: 4rem 0.9rem 2rem; } }
</style>"""


@explained
def main() -> None:
    st.set_page_config(page_title="CI/CD Health", page_icon=str(Path(__file__).with_name("icon.svg")), layout="wide")
    st.html(STYLE)
    pages = {
        "": [
            st.Page("views/overview.py", title="Overview", icon=":material/monitor_heart:", default=True),
            st.Page("views/runs.py", title="Runs", icon=":material/list:"),
        ],
        "Operate": [
            st.Page("views/setup.py", title="Set up", icon=":material/webhook:"),
        ],
        "Hidden": [
            st.Page("views/run.py", title="Run", visibility="hidden"),
        ],
    }
    st.navigation(pages, position="top").run()


main()
