# Weir's image by Docker, of the same files as `./weir image build` lays out (docs/kubernetes.md).
#   docker build --tag weir:dev .
FROM node:24-bookworm-slim AS files
RUN apt-get update
COPY . /source
RUN /source/weir image build --stage /files

FROM scratch
COPY --from=files /files/1-libraries/ /
COPY --from=files /files/2-node/ /
COPY --from=files /files/3-packages/ /
COPY --from=files /files/4-weir/ /
USER 10001:10001
WORKDIR /work
ENV PATH=/usr/local/bin HOME=/tmp XDG_CACHE_HOME=/tmp MALLOC_ARENA_MAX=2
ENTRYPOINT ["/usr/local/bin/node", "--max-semi-space-size=16", "--no-allocation-site-pretenuring", "--single-threaded-gc", "--heap-growing-percent=200", "--disable-warning=ExperimentalWarning", "/opt/weir/dist/bin/weir.js"]
