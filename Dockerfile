# A static binary and nothing else: no shell, no libraries, no root.
#
#   docker build -t anomaly-train .
#   docker run --rm -v "$PWD:/work" anomaly-train --data sessions.jsonl
#
# The build wants Docker and was never run where this was written; the binary that it builds (the same target) was.
FROM rust:1-alpine AS build
RUN apk add --no-cache musl-dev
WORKDIR /source
COPY . .
RUN cargo build --release --locked --bin anomaly-train

FROM scratch
COPY --from=build /source/target/release/anomaly-train /anomaly-train
WORKDIR /work
USER 65532:65532
ENTRYPOINT ["/anomaly-train"]
