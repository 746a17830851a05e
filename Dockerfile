# One image for all Airflow services (target `app`), and a small web server for what is published (target `web`).
# Debian's tag is pinned to a suite; a digest can be given: --build-arg BASE=debian@sha256:...
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS base
ENV LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive
# One user for both images: whoever serves must be able to read what was published, and nothing more.
RUN groupadd --gid 10001 justice \
 && useradd --uid 10001 --gid 10001 --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin justice

FROM base AS python
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates python3 tzdata \
 && rm -rf /var/lib/apt/lists/*

# Hash-locked, as `make install` does it, without the tools for development. The secrets are for those who reach the
# package index through a mirror or a proxy of their own (docs/operating.md); without them they are not there.
FROM python AS packages
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3-venv \
 && rm -rf /var/lib/apt/lists/*
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    PIP_DISABLE_PIP_VERSION_CHECK=1 UV_LINK_MODE=copy UV_NO_PROGRESS=1
WORKDIR /build
COPY requirements.lock requirements-uv.lock docker/pick_requirements.py ./
RUN --mount=type=secret,id=ca_certificates,target=/etc/ssl/certs/ca-certificates.crt \
    --mount=type=secret,id=pip_config,target=/etc/pip.conf \
    python3 -m venv tools \
 && tools/bin/pip install --quiet --no-cache-dir --require-hashes -r requirements-uv.lock
RUN --mount=type=secret,id=ca_certificates,target=/etc/ssl/certs/ca-certificates.crt \
    --mount=type=secret,id=uv_config,target=/etc/uv/uv.toml \
    --mount=type=cache,target=/root/.cache/uv \
    python3 -m venv --without-pip /opt/venv \
 && python3 pick_requirements.py requirements.lock "justice-etl (pyproject.toml)" > run.lock \
 && python3 pick_requirements.py requirements.lock hatchling editables > build.lock \
 && tools/bin/uv pip install --quiet --python tools/bin/python --require-hashes -r build.lock \
 && tools/bin/uv pip install --quiet --python /opt/venv/bin/python --compile-bytecode --require-hashes -r run.lock
# The project itself, as an editable checkout: it finds schemas/, warehouse/ and expectations/ beside etl/.
WORKDIR /opt/justice-etl
COPY pyproject.toml README.md LICENSE ./
COPY etl etl
RUN /build/tools/bin/python -c "from hatchling.build import build_editable; build_editable('/build')" \
 && /build/tools/bin/uv pip install --quiet --python /opt/venv/bin/python --no-deps --offline /build/*.whl

FROM python AS app
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 \
    JUSTICE_HOME=/data \
    AIRFLOW_HOME=/airflow AIRFLOW__CORE__DAGS_FOLDER=/opt/justice-etl/dags AIRFLOW__CORE__LOAD_EXAMPLES=False \
    AIRFLOW__LOGGING__BASE_LOG_FOLDER=/logs
# A new volume takes its owner from the folder that it covers.
RUN install --directory --owner=justice --group=justice /airflow /data /logs
COPY --from=packages /opt/venv /opt/venv
WORKDIR /opt/justice-etl
COPY . .
RUN python -m compileall -q etl dags docker
USER 10001:10001
CMD ["justice-etl", "--help"]

FROM base AS web
RUN apt-get update \
 && apt-get install -y --no-install-recommends curl nginx-light \
 && rm -rf /var/lib/apt/lists/* /etc/nginx/sites-enabled /var/www/html
COPY docker/nginx.conf /etc/nginx/nginx.conf
USER 10001:10001
EXPOSE 8081
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=15s --timeout=3s --start-period=5s CMD ["curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:8081/health"]
CMD ["nginx", "-g", "daemon off;"]
