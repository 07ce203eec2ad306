"""The runs under the filters as a file, fetched from the ingest service's export."""

from functools import partial

import streamlit as st

from core.errors import DashboardError
from core.settings import settings
from dashboard import data
from dashboard.reads import runs as reads
from dashboard.reads.runs import RunSearch

KINDS = {"csv": ("CSV", "text/csv"), "parquet": ("Parquet", "application/vnd.apache.parquet")}


def draw(search: RunSearch, total: int) -> None:
    """A menu of files; the file is made on the click, so drawing the page costs nothing."""
    with st.popover("Export", icon=":material/download:", disabled=not total):
        if data.source() == "file":
            st.caption("Exports come from the ingest service, which isn't running.")
            return
        for kind, (label, mime) in KINDS.items():
            st.download_button(
                label, partial(_file, search, kind), f"workflow-runs.{kind}", mime, icon=":material/download:",
                on_click="ignore", key=f"export_{kind}", width="stretch",
            )  # fmt: skip
        st.caption(
            f"All runs under these filters, {reads.EXPORTED:,} at most, newest first. All of them, for scripts "
            "(a token may be needed, see docs/operations.md):"
        )
        st.code(f"{settings().ingest_url}/api/v1{reads.export_path(search, 'csv')}", language=None, wrap_lines=True)


def _file(search: RunSearch, kind: str) -> bytes:
    try:
        return reads.export(search, kind)
    except DashboardError as error:
        return f"{error.message}\n".encode()  # the file says why it is none
