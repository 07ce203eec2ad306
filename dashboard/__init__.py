"""The Streamlit pages. They read through `dashboard.data` and act through the REST API; they never write the database."""
