# Both images: docker build --target sidecar -t REGISTRY/holdfast/sidecar:0.1.0 .   and the same with `controller`.
# What is in them: docker build --target sbom --output sbom .
# scripts/container-image.long.test.ts runs these instructions without Docker.

# Any Debian with npm: Node itself comes from package-lock.json, libraries and authorities from here.
ARG BUILD_IMAGE=node:26-bookworm

FROM ${BUILD_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
COPY clients/typescript/package.json clients/typescript/
RUN npm ci
ENV PATH=/src/node_modules/.bin:$PATH
COPY . .
RUN node scripts/build.ts
RUN node scripts/image-root.ts /out
RUN node scripts/image-sbom.ts sidecar /out/sbom/sidecar.spdx.json
RUN node scripts/image-sbom.ts controller /out/sbom/controller.spdx.json

FROM scratch AS sbom
COPY --from=build /out/sbom/ /

# Node, the libraries it needs, and the program: no shell, no packages of a system, nothing that anybody but root could change.
FROM scratch AS sidecar
COPY --from=build /out/runtime/ /
COPY --from=build /out/sidecar/ /
USER 65532:65532
WORKDIR /app
ENTRYPOINT ["/usr/bin/node"]
CMD ["sidecar/main.js"]

FROM scratch AS controller
COPY --from=build /out/runtime/ /
COPY --from=build /out/controller/ /
USER 65532:65532
WORKDIR /app
ENTRYPOINT ["/usr/bin/node"]
CMD ["controller/main.js"]
