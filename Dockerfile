# The pipeline and Airflow in one image, as an ordinary user. Build: docker compose build
FROM python:3.12-slim-bookworm AS packages

# Into a folder that the image takes over: without pip's traces, and without the packages' own tests (100 MB).
COPY requirements.txt ./
RUN python -m venv /opt/venv && /opt/venv/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements.txt \
    && find /opt/venv -type d -name tests -prune -exec rm -rf {} +

FROM python:3.12-slim-bookworm

RUN useradd --create-home --uid 50000 airflow && install -d -o airflow /opt/airflow /opt/airflow/data
WORKDIR /opt/airflow

# Packages change seldom, the code often: two layers.
COPY --from=packages /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH

COPY --chown=airflow pyproject.toml README.md ./
COPY --chown=airflow plugins plugins
COPY --chown=airflow include include
COPY --chown=airflow dags dags
COPY --chown=airflow --chmod=755 deploy/entrypoint.sh deploy/entrypoint.sh
RUN pip install --no-cache-dir --no-deps --no-build-isolation -e .

USER airflow
ENV AIRFLOW_HOME=/opt/airflow/home \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/airflow/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/airflow/plugins \
    AMAZON_SUPPORT_HOME=/opt/airflow \
    AMAZON_SUPPORT_DATA=/opt/airflow/data \
    GX_ANALYTICS_ENABLED=false \
    PYTHONUNBUFFERED=1
ENTRYPOINT ["/opt/airflow/deploy/entrypoint.sh"]
