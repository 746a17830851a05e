# Stands in for redis:7-bookworm where no image registry is at hand: Debian's Redis.
ARG BASE=debian:bookworm-slim
FROM ${BASE}
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends redis-server \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /data
ENTRYPOINT ["setpriv", "--reuid=redis", "--regid=redis", "--clear-groups", "--"]
CMD ["redis-server"]
