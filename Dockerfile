# syntax=docker/dockerfile:1

# Every image of Edgeward. Choose one with `docker build --target NAME .` (BuildKit):
#
#   gateway         Envoy with the filter and envoy/envoy.yaml
#   gateway-native  Envoy with the filter as its native module, and envoy/envoy-native.yaml
#   companion       the companion, optimised: the one to deploy
#   companion-dev   the companion, built quickly, with debug assertions and backtraces
#   echo-upstream   the demo upstream, which echoes what reaches it
#   filter          the filter alone, as Istio and Envoy Gateway look for it: one file in one layer, /plugin.wasm;
#                   `--output DIR` writes DIR/plugin.wasm
#   filter-native   the native module alone, /libedgeward.so
#
# `--build-arg EDGEWARD_COMMIT=$(git rev-parse --short=7 HEAD)` gives the filter and the companion their commit, which
# `edgeward --version` and the metric edgeward_build_info show.
#
# None of them runs as root, and each names its user by number, as Kubernetes' `runAsNonRoot` asks.

# The version is that of rust-toolchain.toml, which stays outside the build so that rustup does not
# fetch the formatter and the linter too. A C compiler is in the image; aws-lc needs no more than that.
FROM rust:1.95.0-slim-trixie AS source
RUN rustup target add wasm32-wasip1
WORKDIR /src
COPY . .

# The caches are locked: cargo's own lock lies outside them, and one build uses every core anyway.
FROM source AS filter-build
ARG EDGEWARD_COMMIT
RUN --mount=type=cache,id=edgeward-registry,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=edgeward-target,target=/src/target,sharing=locked \
    cargo xtask filter \
    && install -D -m 0644 target/edgeward.wasm /out/edgeward.wasm

# The module is loaded into Envoy's process, so it links the C library of Envoy's image: glibc 2.35, and older than trixie's. What this
# Debian compiles needs 2.34. Its objects stay apart from trixie's.
FROM rust:1.95.0-slim-bookworm AS filter-native-build
WORKDIR /src
COPY . .
ARG EDGEWARD_COMMIT
RUN --mount=type=cache,id=edgeward-registry,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=edgeward-target-bookworm,target=/src/target,sharing=locked \
    cargo xtask filter --native \
    && install -D -m 0644 target/libedgeward.so /out/libedgeward.so

FROM source AS companion-build
ARG EDGEWARD_COMMIT
RUN --mount=type=cache,id=edgeward-registry,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=edgeward-target,target=/src/target,sharing=locked \
    cargo build --locked --release --package edgeward-companion --bin edgeward \
    && install -D target/release/edgeward /out/edgeward

FROM source AS companion-dev-build
RUN --mount=type=cache,id=edgeward-registry,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=edgeward-target,target=/src/target,sharing=locked \
    cargo build --locked --package edgeward-companion --bin edgeward \
    && install -D target/debug/edgeward /out/edgeward

FROM source AS echo-upstream-build
RUN --mount=type=cache,id=edgeward-registry,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=edgeward-target,target=/src/target,sharing=locked \
    cargo build --locked --package echo-upstream --bin echo-upstream \
    && install -D target/debug/echo-upstream /out/echo-upstream

FROM scratch AS filter
COPY --from=filter-build /out/edgeward.wasm /plugin.wasm

FROM scratch AS filter-native
COPY --from=filter-native-build /out/libedgeward.so /libedgeward.so

# The image's own entry point starts as root and steps down to its user `envoy`, 101; this one never is root.
FROM envoyproxy/envoy:v1.40.0 AS gateway-base
COPY --chmod=0755 docker/gateway /usr/local/bin/gateway
USER 101:101
EXPOSE 8080
ENTRYPOINT ["gateway"]

FROM gateway-base AS gateway
COPY --chmod=0644 envoy/envoy.yaml /etc/envoy/envoy.yaml
COPY --from=filter-build /out/edgeward.wasm /etc/envoy/edgeward.wasm
COPY --chmod=0644 LICENSE* filter/THIRD-PARTY-LICENSES.txt /usr/share/doc/edgeward/

FROM gateway-base AS gateway-native
COPY --chmod=0644 envoy/envoy-native.yaml /etc/envoy/envoy.yaml
COPY --from=filter-native-build /out/libedgeward.so /etc/envoy/libedgeward.so
COPY --chmod=0644 LICENSE* filter/native/THIRD-PARTY-LICENSES.txt /usr/share/doc/edgeward/

# trixie, as the builder is: the binaries link its libc.
FROM debian:trixie-slim AS runtime
RUN groupadd --gid 10001 edgeward \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/edgeward \
        --shell /usr/sbin/nologin edgeward
USER 10001:10001

FROM runtime AS echo-upstream
COPY --from=echo-upstream-build /out/echo-upstream /usr/local/bin/echo-upstream
EXPOSE 8081
CMD ["echo-upstream", "--bind", "0.0.0.0", "--port", "8081"]

# An empty volume mounted on /var/lib/edgeward or on its certs takes over the directory's owner and mode.
FROM runtime AS companion-base
USER 0:0
COPY --chmod=0644 LICENSE* companion/THIRD-PARTY-LICENSES.txt /usr/share/doc/edgeward/
RUN install -d -o edgeward -g edgeward -m 0700 /var/lib/edgeward /var/lib/edgeward/certs
USER 10001:10001
ENV BIND_ADDRESS=0.0.0.0 \
    CERTS_DIR=/var/lib/edgeward/certs
WORKDIR /var/lib/edgeward
EXPOSE 5501 5502
CMD ["edgeward", "serve"]

FROM companion-base AS companion-dev
ENV RUST_BACKTRACE=1
COPY --from=companion-dev-build /out/edgeward /usr/local/bin/edgeward

# Last, so that a build without a target makes this one.
FROM companion-base AS companion
COPY --from=companion-build /out/edgeward /usr/local/bin/edgeward
