package io.fairlead.dns.server;

import io.fairlead.dns.wire.Transport;
import io.fairlead.runtime.Metrics;
import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import org.xbill.DNS.Rcode;

/**
 * Queries and answers as metrics. The series are looked up once, so that counting costs an
 * addition.
 */
public final class QueryMetrics implements QueryStats {
  private static final int CODES = 16;

  private final CounterDataPoint udpQueries;
  private final CounterDataPoint tcpQueries;
  private final CounterDataPoint[] answers = new CounterDataPoint[CODES];
  private final CounterDataPoint dropped;
  private final CounterDataPoint forwarded;
  private final CounterDataPoint failed;
  private final CounterDataPoint faults;
  private final CounterDataPoint refusedConnections;
  private final CounterDataPoint expiredConnections;

  public QueryMetrics(Metrics metrics) {
    var byTransport =
        metrics.counter("dns", "requests", "Queries that arrived, by transport.", "proto");
    udpQueries = byTransport.labelValues("udp");
    tcpQueries = byTransport.labelValues("tcp");
    var byCode = metrics.counter("dns", "responses", "Answers that were sent, by code.", "rcode");
    for (int code = 0; code < CODES; code++) {
      answers[code] = byCode.labelValues(Rcode.string(code));
    }
    dropped =
        metrics.counter("dns", "dropped", "Packets that were not answered at all.").labelValues();
    forwarded =
        metrics.counter("dns", "forwarded", "Queries that other servers were asked.").labelValues();
    failed =
        metrics
            .counter("dns", "socket_failures", "Packets and connections that failed.")
            .labelValues();
    faults =
        metrics
            .counter(
                "dns", "faults", "Queries answered SERVFAIL because of a fault of this server.")
            .labelValues();
    refusedConnections =
        metrics
            .counter(
                "dns", "tcp_refused", "TCP connections above a limit, in all or of one client.")
            .labelValues();
    expiredConnections =
        metrics
            .counter(
                "dns",
                "tcp_expired",
                "TCP connections closed because the client was idle, or slow to send or to read.")
            .labelValues();
  }

  @Override
  public void query(Transport transport) {
    switch (transport) {
      case UDP -> udpQueries.inc();
      case TCP -> tcpQueries.inc();
    }
  }

  @Override
  public void answer(byte[] answer) {
    answers[answer[3] & 0xf].inc();
  }

  @Override
  public void dropped() {
    dropped.inc();
  }

  @Override
  public void forwarded() {
    forwarded.inc();
  }

  @Override
  public void failed() {
    failed.inc();
  }

  @Override
  public void fault() {
    faults.inc();
  }

  @Override
  public void expiredConnection() {
    expiredConnections.inc();
  }

  @Override
  public void refusedConnection() {
    refusedConnections.inc();
  }
}
