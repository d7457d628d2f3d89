# docker build --build-arg EXTRAS=local -t offhook .     (EXTRAS: local, postgresql, or both with a comma)
# docker run -p 8080:8080 -v offhook-data:/data -v "$PWD/offhook.toml:/etc/offhook/offhook.toml:ro" \
#     -e OFFHOOK_CONFIG=/etc/offhook/offhook.toml offhook

FROM python:3.12-slim AS build
ARG EXTRAS=
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY media media
COPY bot bot
RUN python -m venv /opt/offhook \
    && /opt/offhook/bin/pip install --no-cache-dir --upgrade pip \
    && /opt/offhook/bin/pip install --no-cache-dir ".${EXTRAS:+[$EXTRAS]}"

FROM python:3.12-slim
RUN useradd --system --uid 10001 --home-dir /data --create-home offhook
COPY --from=build /opt/offhook /opt/offhook
ENV PATH=/opt/offhook/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    OFFHOOK_SERVER_HOST=0.0.0.0 \
    OFFHOOK_STORAGE_DATABASE=sqlite+aiosqlite:////data/offhook.db \
    OFFHOOK_STORAGE_RECORDINGS=/data/recordings \
    OFFHOOK_LOG_FORMAT=json
USER offhook
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
# The process is the container's first, so that SIGTERM reaches it and calls are drained.
ENTRYPOINT ["offhook"]
CMD ["serve"]
