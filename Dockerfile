# The images of Fairlead, one target for each:
#
#   docker build --target allocator-service -t fairlead/allocator-service:dev .
#
# Targets: allocator-service, endpoints-service, dns-service, agent, cli, echo. They share the layer with the Java run-time
# image. Every entry point is Java itself as process 1, so that signals reach it; the heap follows the container's memory
# limit; a look-up of a name holds for 5 s, since containers come back with other addresses. More options for the JVM:
# environment variable JDK_JAVA_OPTIONS.

# --- Java --------------------------------------------------------------------------------------------------------------

# One run-time image for all, as images share layers. Then the archive of classes for compact object headers.
FROM maven:3.9-eclipse-temurin-25 AS java
RUN jlink --output /out/java --compress=zip-6 --strip-debug --no-header-files --no-man-pages --add-modules \
java.base,java.compiler,java.logging,java.management,java.naming,java.net.http,java.security.jgss,java.security.sasl,java.sql,\
java.xml,jdk.crypto.ec,jdk.httpserver,jdk.jcmd,jdk.jfr,jdk.management,jdk.net,jdk.unsupported \
    && /out/java/bin/java -XX:+UseCompactObjectHeaders -Xshare:dump

# --- build -------------------------------------------------------------------------------------------------------------

FROM maven:3.9-eclipse-temurin-25 AS build
WORKDIR /src
# First the poms alone: what has to be downloaded follows from them, and its layer stays while only sources change.
COPY pom.xml ./
COPY proto/pom.xml proto/
COPY core/pom.xml core/
COPY devkit/pom.xml devkit/
COPY api/pom.xml api/
COPY eventlog/pom.xml eventlog/
COPY etcd/pom.xml etcd/
COPY runtime/pom.xml runtime/
COPY decider/pom.xml decider/
COPY allocator-service/pom.xml allocator-service/
COPY endpoints-service/pom.xml endpoints-service/
COPY dns-service/pom.xml dns-service/
COPY agent/pom.xml agent/
COPY cli/pom.xml cli/
COPY standalone/pom.xml standalone/
COPY testbed/pom.xml testbed/
COPY bench/pom.xml bench/
ARG MAVEN_BUILD="mvn -B -ntp -T1C -Dquick -DskipTests -pl allocator-service,endpoints-service,dns-service,agent,cli -am \
  package dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=\${project.build.directory}/lib"
RUN ${MAVEN_BUILD} && rm -rf ./*/target
COPY . .
RUN ${MAVEN_BUILD}
# For each image: lib/, what others made and seldom changes, and app/, what is ours.
RUN set -eu; \
    for module in allocator-service endpoints-service dns-service agent cli; do \
      mkdir -p "/out/$module/app"; \
      mv "$module/target/quick/lib" "/out/$module/lib"; \
      mv "/out/$module/lib"/fairlead-*.jar "/out/$module/app/"; \
      cp "$module/target/quick/fairlead-$module"-*[0-9T].jar "/out/$module/app/"; \
    done; \
    mkdir -p /out/echo/app; \
    jar --create --file /out/echo/app/echo.jar -C devkit/target/quick/classes io/fairlead/devkit/echo \
      -C devkit/target/quick/classes io/fairlead/devkit/process/Options.class \
      -C devkit/target/quick/classes io/fairlead/devkit/process/LaunchException.class
# --- what all images have ----------------------------------------------------------------------------------------------

FROM debian:bookworm-slim AS base
COPY --from=java /out/java /opt/java
COPY LICENSE NOTICE /usr/share/doc/fairlead/
# One arena of malloc instead of eight for each processor: Java's own threads allocate little there.
ENV PATH=/opt/java/bin:$PATH LANG=C.UTF-8 MALLOC_ARENA_MAX=1
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.vendor="Fairlead" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
WORKDIR /tmp

# --- the images --------------------------------------------------------------------------------------------------------

FROM base AS allocator-service
LABEL org.opencontainers.image.title="Fairlead allocator-service" \
      org.opencontainers.image.description="Decides Services and gives out their ClusterIPs"
COPY --from=build /out/allocator-service/lib /opt/fairlead/lib
COPY --from=build /out/allocator-service/app /opt/fairlead/app
EXPOSE 7401 7481
USER 10001:10001
ENTRYPOINT ["java", "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow", \
  "-Dsun.net.inetaddr.ttl=5", "-Dsun.net.inetaddr.negative.ttl=1", \
  "-XX:+UseCompactObjectHeaders", "-XX:MaxRAMPercentage=50", "-XX:+ExitOnOutOfMemoryError", "-XX:-UsePerfData", "-Xss512k", \
  "-cp", "/opt/fairlead/app/*:/opt/fairlead/lib/*", "io.fairlead.allocator.Main"]

FROM base AS endpoints-service
LABEL org.opencontainers.image.title="Fairlead endpoints-service" \
      org.opencontainers.image.description="Decides Pods, their readiness and Nodes, and streams to the agents"
COPY --from=build /out/endpoints-service/lib /opt/fairlead/lib
COPY --from=build /out/endpoints-service/app /opt/fairlead/app
EXPOSE 7402 7482
USER 10001:10001
ENTRYPOINT ["java", "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow", \
  "-Dsun.net.inetaddr.ttl=5", "-Dsun.net.inetaddr.negative.ttl=1", \
  "-XX:+UseCompactObjectHeaders", "-XX:MaxRAMPercentage=50", "-XX:+ExitOnOutOfMemoryError", "-XX:-UsePerfData", "-Xss512k", \
  "-cp", "/opt/fairlead/app/*:/opt/fairlead/lib/*", "io.fairlead.endpoints.Main"]

# Port 53 needs no capability where net.ipv4.ip_unprivileged_port_start is 53 or less, which is Docker's default.
FROM base AS dns-service
LABEL org.opencontainers.image.title="Fairlead dns-service" \
      org.opencontainers.image.description="Answers DNS for Services and Pods, and forwards everything else"
COPY --from=build /out/dns-service/lib /opt/fairlead/lib
COPY --from=build /out/dns-service/app /opt/fairlead/app
EXPOSE 53/udp 53/tcp 7403 7483
USER 10001:10001
ENTRYPOINT ["java", "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow", \
  "-Dsun.net.inetaddr.ttl=5", "-Dsun.net.inetaddr.negative.ttl=1", \
  "-XX:+UseCompactObjectHeaders", "-XX:MaxRAMPercentage=50", "-XX:+ExitOnOutOfMemoryError", "-XX:-UsePerfData", "-Xss512k", \
  "-cp", "/opt/fairlead/app/*:/opt/fairlead/lib/*", "io.fairlead.dns.Main"]

# As root with NET_ADMIN and no other capability: the kernel gives capabilities to other users only through files or ambient
# sets, and Docker makes neither.
FROM base AS agent
LABEL org.opencontainers.image.title="Fairlead agent" \
      org.opencontainers.image.description="Programs a node's nftables with Services, probes its Pods"
RUN apt-get update -o APT::Update::Error-Mode=any \
    && apt-get install -y --no-install-recommends libnftables1 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log
COPY --from=build /out/agent/lib /opt/fairlead/lib
COPY --from=build /out/agent/app /opt/fairlead/app
EXPOSE 7484
ENTRYPOINT ["java", "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow", \
  "-Dsun.net.inetaddr.ttl=5", "-Dsun.net.inetaddr.negative.ttl=1", \
  "-XX:+UseCompactObjectHeaders", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:ReservedCodeCacheSize=32m", \
  "-XX:MaxRAMPercentage=35", "-XX:MinHeapFreeRatio=10", "-XX:MaxHeapFreeRatio=30", "-XX:+ExitOnOutOfMemoryError", \
  "-XX:-UsePerfData", "-Xss512k", "-Dio.grpc.netty.shaded.io.netty.allocator.maxOrder=3", \
  "-cp", "/opt/fairlead/app/*:/opt/fairlead/lib/*", "io.fairlead.agent.Main"]

FROM base AS cli
LABEL org.opencontainers.image.title="Fairlead command" \
      org.opencontainers.image.description="The fairlead command, for shells and one-shot containers"
COPY --from=build /out/cli/lib /opt/fairlead/lib
COPY --from=build /out/cli/app /opt/fairlead/app
USER 10001:10001
ENTRYPOINT ["java", "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow", \
  "-Dsun.net.inetaddr.ttl=5", "-Dsun.net.inetaddr.negative.ttl=1", \
  "-XX:+UseCompactObjectHeaders", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:MaxRAMPercentage=50", \
  "-XX:-UsePerfData", "-Xlog:disable", "-Xlog:all=error:stderr", \
  "-cp", "/opt/fairlead/app/*:/opt/fairlead/lib/*", "io.fairlead.cli.Main"]

# A workload for examples and tests: an HTTP server that says which Pod answered.
FROM base AS echo
LABEL org.opencontainers.image.title="Fairlead echo" \
      org.opencontainers.image.description="An HTTP server that says which Pod and node answered"
COPY --from=build /out/echo/app /opt/fairlead/app
USER 10001:10001
ENTRYPOINT ["java", "-XX:+UseCompactObjectHeaders", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", \
  "-XX:MaxRAMPercentage=25", "-XX:-UsePerfData", "-Xss512k", \
  "-cp", "/opt/fairlead/app/echo.jar", "io.fairlead.devkit.echo.EchoServerMain"]
