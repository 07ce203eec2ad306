# The images of the product: --target ingest (also the worker and the commands) and --target dashboard.
#   docker build -f ops/docker/health.Dockerfile --target ingest -t cicd-health-ingest .
# To pin the base by digest, pass --build-arg PYTHON_IMAGE=python:3.12-slim-bookworm@sha256:…
ARG PYTHON_IMAGE=python:3.12-slim-bookworm

FROM ${PYTHON_IMAGE} AS packages
WORKDIR /build
COPY requirements.txt .
# Packages only: compilers and caches stay behind in this stage.
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check -r requirements.txt

FROM ${PYTHON_IMAGE} AS base
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    LOG_FORMAT=json \
    DATABASE_URL=duckdb:////var/lib/cicd-health/health.duckdb
RUN groupadd --system --gid 10001 health \
    && useradd --system --uid 10001 --gid health --home-dir /var/lib/cicd-health --create-home health
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY core core
USER 10001:10001
VOLUME /var/lib/cicd-health

FROM base AS ingest
COPY ingest ingest
# Beyond loopback the service starts only with API_WRITE_KEY, which the environment brings.
ENV INGEST_HOST=0.0.0.0
EXPOSE 8000
STOPSIGNAL SIGINT
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health/ready', timeout=4)"]
CMD ["python", "-m", "ingest", "serve"]

FROM base AS dashboard
COPY dashboard dashboard
COPY .streamlit .streamlit
ENV STREAMLIT_SERVER_ADDRESS=0.0.0.0
EXPOSE 8501
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
CMD ["streamlit", "run", "dashboard/app.py"]
