# Stands in for buildpack-deps:SUITE-curl.
FROM debian:SUITE-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates curl gnupg netbase tzdata wget \
 && rm -rf /var/lib/apt/lists/*
COPY usr/local/share/ca-certificates /usr/local/share/ca-certificates
RUN update-ca-certificates
