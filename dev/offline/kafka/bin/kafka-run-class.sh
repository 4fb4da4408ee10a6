#!/bin/bash
# Runs a class of Kafka with the options that these variables hold: KAFKA_HEAP_OPTS, KAFKA_JVM_PERFORMANCE_OPTS,
# KAFKA_LOG4J_OPTS, KAFKA_OPTS, KAFKA_JMX_OPTS; CLASSPATH adds to the class path.
home=/opt/kafka
# shellcheck disable=SC2086
exec java ${KAFKA_HEAP_OPTS--Xmx256M} ${KAFKA_JVM_PERFORMANCE_OPTS--server -XX:+UseG1GC -XX:MaxGCPauseMillis=20} \
  --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
  ${KAFKA_JMX_OPTS-} ${KAFKA_LOG4J_OPTS--Dlog4j2.configurationFile=$home/config/tools-log4j2.yaml} \
  -Dkafka.logs.dir="${LOG_DIR-$home/logs}" ${KAFKA_OPTS-} -cp "$home/libs/*${CLASSPATH:+:$CLASSPATH}" "$@"
