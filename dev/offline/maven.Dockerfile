# Stands in for maven:3.9-eclipse-temurin-25, on SUITE.
FROM debian:SUITE-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends binutils bash ca-certificates curl git tar tzdata unzip \
 && rm -rf /var/lib/apt/lists/*
COPY usr/local/share/ca-certificates /usr/local/share/ca-certificates
RUN update-ca-certificates
COPY jdk /opt/java/openjdk
COPY maven /usr/share/maven
RUN ln -s /usr/share/maven/bin/mvn /usr/bin/mvn
# What the poms need, so that a build downloads little.
COPY repository /root/.m2/repository
ENV JAVA_HOME=/opt/java/openjdk \
    MAVEN_HOME=/usr/share/maven \
    MAVEN_CONFIG=/root/.m2 \
    LANG=C.UTF-8 \
    PATH=/opt/java/openjdk/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
CMD ["mvn"]
