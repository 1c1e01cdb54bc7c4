# An image that runs any process of the office: web (the default), worker, beat, manage.py.
FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements.txt /
RUN python -m venv /venv && /venv/bin/pip install --requirement /requirements.txt

FROM python:3.12-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    APP_ENV=production DATA_DIR=/data HOST=0.0.0.0 PORT=3000
RUN useradd --system --uid 10001 --create-home office \
    && mkdir /data && chown office:office /data && chmod 711 /data
COPY --from=build /venv /venv
WORKDIR /app
COPY . .
# Static files are part of the image. Nothing of the throw-away secrets remains.
ENV STATIC_ROOT=/app/static
RUN APP_ENV=office DATA_DIR=/tmp/build python manage.py collectstatic --no-input \
    && rm -rf /tmp/build
USER office
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD \
    ["python", "-c", "import http.client as h, os, sys; c = h.HTTPConnection('127.0.0.1', os.environ['PORT'], timeout=2); c.request('GET', '/healthz'); sys.exit(c.getresponse().status >= 500)"]
CMD ["python", "manage.py", "serve", "web"]
