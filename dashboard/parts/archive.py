"""Where old runs are, and whether their files can be read here."""

from datetime import date

import pandas as pd
import streamlit as st

from core.store.archive_files import Archive
from dashboard.parts.formats import count, plain


def draw(files: pd.DataFrame, archive: Archive) -> None:
    """How many runs of which months are archived, and what is missing; nothing where nothing was archived."""
    if files.empty:
        return
    st.header("Archive", anchor=False)
    attempts = int(files.loc[files["kind"] == "workflow_runs", "row_count"].sum())
    first, last = (_name(month) for month in (files["month"].iloc[0], files["month"].iloc[-1]))
    months = first if first == last else f"{first} to {last}"
    st.markdown(
        f"{count(attempts, 'run attempt', 'run attempts')} of {months} in {count(len(files), 'file', 'files')} "
        f"at {plain(archive)}."
    )
    if missing := archive.missing(files["path"]):
        hint = "They come once the bucket answers" if archive.bucket else "Bring them back, or set ARCHIVE_FOLDER"
        st.warning(
            f"**{len(missing):,} of {len(files):,} files can't be read here**, so what is in them isn't shown: "
            f"{plain(missing[0])}{', …' if len(missing) > 1 else ''}. {hint}.",
            icon=":material/folder_off:",
        )


def not_asked(files: pd.DataFrame) -> None:
    """That archived runs are in no answer to a person's own SQL on PostgreSQL; nothing where nothing was archived."""
    if files.empty:
        return
    st.caption(
        f"Runs that were archived, the last of {_name(files['month'].iloc[-1])}, are in no answer here. The runs "
        "explorer has them."
    )


def _name(month: str) -> str:
    return f"{date.fromisoformat(f'{month}-01'):%B %Y}"
