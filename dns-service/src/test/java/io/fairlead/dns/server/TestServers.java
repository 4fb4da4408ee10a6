package io.fairlead.dns.server;

import io.fairlead.core.dns.Zone;
import io.fairlead.core.dns.ZoneProjection;
import io.fairlead.core.dns.ZoneSettings;
import io.fairlead.core.model.Address;
import io.fairlead.core.run.FaultHandler;
import io.fairlead.core.run.Time;
import io.fairlead.dns.wire.Responder;
import io.fairlead.dns.wire.Transport;
import io.fairlead.dns.wire.Upstream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

/** Servers of a zone that meets a fault on request, on any port of loopback. */
final class TestServers {
  /** A name that the zone has. */
  static final String SERVER = "ns.dns.cluster.local.";

  /** The address that {@link #SERVER} has. */
  static final String ADDRESS = "172.30.0.2";

  static final InetSocketAddress LOOPBACK =
      new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0);

  private static final Zone ZONE =
      ZoneProjection.empty(
          new ZoneSettings(
              "cluster.local.", List.of(), Duration.ofSeconds(5), List.of(Address.of(ADDRESS))));

  final Counts counts = new Counts();
  final AtomicInteger faultsToMeet = new AtomicInteger();
  final AtomicInteger halts = new AtomicInteger();
  final FaultHandler faults = (_, _) -> halts.incrementAndGet();
  private final Optional<Upstream> upstream;

  TestServers(Optional<Upstream> upstream) {
    this.upstream = upstream;
  }

  private GuardedResponder responder() {
    return new GuardedResponder(
        new Responder(this::zone, () -> true, upstream), counts, Time.system());
  }

  private Zone zone() {
    if (faultsToMeet.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
      throw new IllegalStateException("a fault that the test asked for");
    }
    return ZONE;
  }

  UdpServer udp(ServerSockets sockets) throws IOException {
    return UdpServer.start(LOOPBACK, sockets, responder(), counts, faults, Time.system());
  }

  TcpServer tcp(ServerSockets sockets, TcpLimits limits) throws IOException {
    return TcpServer.start(LOOPBACK, sockets, responder(), counts, limits, faults, Time.system());
  }

  static Message query(String name) throws IOException {
    return Message.newQuery(Record.newRecord(Name.fromString(name), Type.A, DClass.IN));
  }

  /** What was counted. */
  static final class Counts implements QueryStats {
    final AtomicInteger answers = new AtomicInteger();
    final AtomicInteger failed = new AtomicInteger();
    final AtomicInteger faults = new AtomicInteger();
    final AtomicInteger refused = new AtomicInteger();
    final AtomicInteger expired = new AtomicInteger();

    @Override
    public void query(Transport transport) {}

    @Override
    public void answer(byte[] answer) {
      answers.incrementAndGet();
    }

    @Override
    public void dropped() {}

    @Override
    public void forwarded() {}

    @Override
    public void failed() {
      failed.incrementAndGet();
    }

    @Override
    public void fault() {
      faults.incrementAndGet();
    }

    @Override
    public void refusedConnection() {
      refused.incrementAndGet();
    }

    @Override
    public void expiredConnection() {
      expired.incrementAndGet();
    }
  }
}
