"""The parts of a page that the browser draws: each has a stylesheet and a script, which draws with `dom.js`."""

from pathlib import Path
from typing import Any

import streamlit as st

_HERE = Path(__file__).parent


def component(name: str) -> Any:
    """What mounts the component with `data`, as `st.components.v2.component` returns it."""
    css, js = _assets(name)
    return st.components.v2.component(name, css=css, js=js)


def nothing() -> None:
    """What the browser wants is read from a component's result, not in a callback, where pages can't be switched."""


@st.cache_resource(show_spinner=False)
def _assets(name: str) -> tuple[str, str]:
    style, shared, script = (_HERE / file for file in (f"{name}.css", "dom.js", f"{name}.js"))
    return style.read_text(), shared.read_text() + script.read_text()
