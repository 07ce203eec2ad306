"""The Streamlit dashboard: reads through `core`, acts through the REST API of ingest, writes nothing itself."""
