# powerd and its dev chain in one image; what runs is the command's choice (docker-compose.yml).
FROM python:3.12-slim AS build
COPY requirements/run.lock /src/requirements/run.lock
RUN python -m venv /opt/powerd && /opt/powerd/bin/pip install --no-cache-dir --require-hashes -r /src/requirements/run.lock
COPY pyproject.toml setup.py README.md LICENSE /src/
COPY packaging /src/packaging
COPY app /src/app
# docker build --build-arg COMMIT=$(git rev-parse --short=12 HEAD): what powerd --version says.
ARG COMMIT=
RUN POWERD_COMMIT=$COMMIT /opt/powerd/bin/pip install --no-cache-dir --no-deps --no-build-isolation --no-index /src

FROM python:3.12-slim
COPY --from=build /opt/powerd /opt/powerd
ENV PATH=/opt/powerd/bin:$PATH PYTHONUNBUFFERED=1
CMD ["powerd"]
