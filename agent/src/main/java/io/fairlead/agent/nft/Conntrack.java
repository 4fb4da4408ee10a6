package io.fairlead.agent.nft;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.fairlead.agent.nft.Foreign.CallFailed;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import io.fairlead.core.run.Time;
import io.fairlead.core.view.NodeRules.Frontend;
import io.fairlead.core.view.NodeRules.Target;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Ends flows whose endpoint is gone: rules see only the first packet of a flow, and a flow over UDP
 * has no end, so a client that keeps its port would send to a deleted Pod for ever
 * (kubernetes/kubernetes 125467, 139628). TCP notices by itself, after minutes, so its flows are
 * ended only where that is asked for (104098, 100755); SCTP is left alone.
 *
 * <p>One pass reads the kernel's table once, whatever its size, as a stream; only what is stale is
 * held. Call it after rules were committed, apart from them: works on a thread of its own, in the
 * data plane's network namespace. Any thread may call. Holds no state.
 */
public final class Conntrack implements FlowGateway {
  private static final int NETLINK_NETFILTER = 12;
  private static final short GET =
      1 << 8 | 1; // NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET; linux/nfnetlink_conntrack.h
  private static final short DELETE = 1 << 8 | 2;
  private static final short REQUEST = 1;
  private static final short ACK = 4;
  private static final short DUMP = 0x300;
  private static final short INTERRUPTED = 0x10;
  private static final int NLMSG_ERROR = 2;
  private static final int NLMSG_DONE = 3;
  private static final int ENOENT = 2;
  private static final int UDP = 17;

  private static final int SEEN_REPLY = 1 << 1; // IPS_SEEN_REPLY in linux/nf_conntrack_common.h

  /** By number, as in linux/nf_conntrack_tcp.h and linux/nf_conntrack_sctp.h. */
  private static final List<String> TCP_STATES =
      List.of(
          "NONE",
          "SYN_SENT",
          "SYN_RECV",
          "ESTABLISHED",
          "FIN_WAIT",
          "CLOSE_WAIT",
          "LAST_ACK",
          "TIME_WAIT",
          "CLOSE",
          "SYN_SENT2");

  private static final List<String> SCTP_STATES =
      List.of(
          "NONE",
          "CLOSED",
          "COOKIE_WAIT",
          "COOKIE_ECHOED",
          "ESTABLISHED",
          "SHUTDOWN_SENT",
          "SHUTDOWN_RECD",
          "SHUTDOWN_ACK_SENT",
          "HEARTBEAT_SENT");

  /** Stale flows of one pass; more are left to the next, so that memory is bounded. */
  private static final int MOST = 200_000;

  private final Worker worker;
  private final Foreign foreign;
  private final Time time;

  // of the worker
  private int socket; // of one pass: a reading that was broken off leaves nothing to the next
  private int sequence;

  private Conntrack(Worker worker, Foreign foreign, Time time) {
    this.worker = worker;
    this.foreign = foreign;
    this.time = time;
  }

  /**
   * Opens it in the namespace of that configuration.
   *
   * @throws GatewayException KNOWN_FAILED where the namespace cannot be entered, or the kernel has
   *     no netlink to conntrack
   */
  public static Conntrack open(DataPlaneConfig config) {
    var foreign = new Foreign();
    var worker = Worker.start("conntrack-" + config.nodeName(), "conntrack");
    try {
      worker.call(() -> {
        config.namespace().ifPresent(namespace -> Worker.enter(foreign, namespace));
        foreign.close(socket(foreign));
        return true;
      });
      return new Conntrack(worker, foreign, Time.system());
    } catch (RuntimeException e) {
      worker.close();
      throw e;
    }
  }

  private static int socket(Foreign foreign) {
    try {
      return foreign.netlink(NETLINK_NETFILTER);
    } catch (CallFailed e) {
      throw new GatewayException(
          Outcome.KNOWN_FAILED, "no netlink socket to conntrack: " + e.getMessage(), e);
    }
  }

  @Override
  public Cleaned clean(Map<Frontend, Set<Target>> serving) {
    return worker.call(() -> pass(Map.copyOf(serving)));
  }

  @Override
  public Found find(Query query) {
    return worker.call(() -> {
      socket = socket(foreign);
      var search = new Search(query);
      try (var arena = Arena.ofConfined()) {
        dump(arena.allocate(64 * 1024, 8), query.vip().family(), search);
      } catch (CallFailed e) {
        throw new GatewayException(Outcome.KNOWN_FAILED, "conntrack: " + e.getMessage(), e);
      } finally {
        foreign.close(socket);
      }
      return new Found(search.found, search.more, search.read);
    });
  }

  /** What a reading of the table is for. */
  private interface Reader {
    void entry(ByteBuffer attributes);

    /** The table changed under the reading; what is read is right all the same. */
    void incomplete();
  }

  /** Of TCP: both sides have said that they have nothing more to say. */
  private static boolean isEnding(int state) {
    return state >= TCP_STATES.indexOf("LAST_ACK") && state <= TCP_STATES.indexOf("CLOSE");
  }

  /** Of the one protocol in it: CTA_PROTOINFO_TCP_STATE, CTA_PROTOINFO_SCTP_STATE. */
  private static int state(ByteBuffer attributes) {
    while (attributes.remaining() >= 4) {
      var protocol = Attribute.next(attributes);
      while ((protocol.type() == 1 || protocol.type() == 3) && protocol.value().remaining() >= 4) {
        var field = Attribute.next(protocol.value());
        if (field.type() == 1 && field.value().hasRemaining()) {
          return field.value().get(0);
        }
      }
    }
    return -1;
  }

  /** Looks for flows. */
  private static final class Search implements Reader {
    private final Query query;
    private final List<Flow> found = new ArrayList<>();
    private boolean more;
    private long read;

    private Search(Query query) {
      this.query = query;
    }

    @Override
    public void incomplete() {}

    @Override
    public void entry(ByteBuffer attributes) {
      read++;
      var original = Optional.<Tuple>empty();
      var reply = Optional.<Tuple>empty();
      int status = 0;
      int state = -1;
      var timeout = Duration.ZERO;
      var sent = Optional.<Count>empty();
      var received = Optional.<Count>empty();
      var since = Optional.<Instant>empty();
      while (attributes.remaining() >= 4) {
        var attribute = Attribute.next(attributes);
        switch (attribute.type()) {
          case 1 -> {
            original = Tuple.read(attribute.value());
            if (original.filter(this::isAskedFor).isEmpty()) {
              return;
            }
          }
          case 2 -> reply = Tuple.read(attribute.value());
          case 3 -> status = (int) number(attribute.value()); // CTA_STATUS
          case 4 -> state = state(attribute.value()); // CTA_PROTOINFO
          case 7 -> timeout = Duration.ofSeconds(number(attribute.value())); // CTA_TIMEOUT
          case 9 -> sent = count(attribute.value()); // CTA_COUNTERS_ORIG
          case 10 -> received = count(attribute.value()); // CTA_COUNTERS_REPLY
          case 20 -> since = begun(attribute.value()); // CTA_TIMESTAMP
          default -> {}
        }
      }
      if (original.isEmpty() || reply.isEmpty()) {
        return;
      }
      if (found.size() >= query.most()) {
        more = true;
        return;
      }
      var from = original.get();
      var back = reply.get();
      var protocol = from.named().orElseThrow();
      found.add(
          new Flow(
              new Frontend(from.destination(), protocol, from.destinationPort()),
              new Target(from.source(), from.sourcePort()),
              new Target(back.source(), back.sourcePort()),
              new Target(back.destination(), back.destinationPort()),
              name(protocol, state, status),
              timeout,
              sent,
              received,
              since));
    }

    private boolean isAskedFor(Tuple from) {
      return from.source().equals(query.client())
          && from.destination().equals(query.vip())
          && (query.clientPort() == 0 || query.clientPort() == from.sourcePort())
          && (query.port() == 0 || query.port() == from.destinationPort())
          && from.named()
              .filter(named -> query.protocol().isEmpty() || query.protocol().get() == named)
              .isPresent();
    }

    private static long number(ByteBuffer value) {
      value.order(ByteOrder.BIG_ENDIAN);
      return value.remaining() >= 8
          ? value.getLong(0)
          : value.remaining() >= 4 ? Integer.toUnsignedLong(value.getInt(0)) : 0;
    }

    private static Optional<Count> count(ByteBuffer attributes) {
      long packets = 0;
      long bytes = 0;
      while (attributes.remaining() >= 4) {
        var field = Attribute.next(attributes);
        switch (field.type()) {
          case 1 -> packets = number(field.value()); // CTA_COUNTERS_PACKETS
          case 2 -> bytes = number(field.value()); // CTA_COUNTERS_BYTES
          default -> {}
        }
      }
      return Optional.of(new Count(packets, bytes));
    }

    private static Optional<Instant> begun(ByteBuffer attributes) {
      while (attributes.remaining() >= 4) {
        var field = Attribute.next(attributes);
        if (field.type() == 1) { // CTA_TIMESTAMP_START, nanoseconds
          return Optional.of(Instant.EPOCH.plusNanos(number(field.value())));
        }
      }
      return Optional.empty();
    }

    private static String name(Protocol protocol, int state, int status) {
      return switch (protocol) {
        case TCP -> state >= 0 && state < TCP_STATES.size() ? TCP_STATES.get(state) : "UNKNOWN";
        case SCTP -> state >= 0 && state < SCTP_STATES.size() ? SCTP_STATES.get(state) : "UNKNOWN";
        case UDP -> (status & SEEN_REPLY) != 0 ? "ANSWERED" : "UNANSWERED";
      };
    }
  }

  private Cleaned pass(Map<Frontend, Set<Target>> serving) {
    long start = time.nanoTime();
    var families = EnumSet.noneOf(Family.class);
    for (var frontend : serving.keySet()) {
      if (frontend.protocol() != Protocol.SCTP) {
        families.add(frontend.vip().family());
      }
    }
    var pass = new Pass(serving);
    int deleted = 0;
    if (families.isEmpty()) {
      return new Cleaned(0, 0, true, Duration.ZERO);
    }
    socket = socket(foreign);
    try (var arena = Arena.ofConfined()) {
      var buffer = arena.allocate(64 * 1024, 8);
      for (var family : families) {
        pass.stale.clear();
        dump(buffer, family, pass);
        for (var flow : pass.stale) {
          deleted += delete(buffer, family, flow);
        }
      }
    } catch (CallFailed e) {
      throw new GatewayException(Outcome.UNKNOWN, "conntrack: " + e.getMessage(), e);
    } finally {
      foreign.close(socket);
    }
    return new Cleaned(
        pass.read, deleted, pass.complete, Duration.ofNanos(time.nanoTime() - start));
  }

  /** What one reading gathers. */
  private static final class Pass implements Reader {
    private final Map<Frontend, Set<Target>> serving;
    private final List<byte[]> stale =
        new ArrayList<>(); // attributes that name a flow, as the kernel sent them
    private long read;
    private boolean complete = true;

    private Pass(Map<Frontend, Set<Target>> serving) {
      this.serving = serving;
    }

    @Override
    public void incomplete() {
      complete = false;
    }

    @Override
    public void entry(ByteBuffer attributes) {
      read++;
      var original = Optional.<Tuple>empty();
      var reply = Optional.<Tuple>empty();
      int state = -1; // of TCP
      var name = ByteBuffer.allocate(attributes.remaining());
      while (attributes.remaining() >= 4) {
        var attribute = Attribute.next(attributes);
        switch (attribute.type()) {
          case 1 -> { // CTA_TUPLE_ORIG
            original = Tuple.read(attribute.value());
            attribute.copyTo(name);
          }
          case 2 -> reply = Tuple.read(attribute.value()); // CTA_TUPLE_REPLY
          case 4 -> state = state(attribute.value()); // CTA_PROTOINFO
          case 12, 18 ->
              attribute.copyTo(name); // CTA_ID: not a new flow of the same name; CTA_ZONE
          default -> {}
        }
      }
      if (original.isEmpty() || reply.isEmpty()) {
        return;
      }
      var protocol = original.get().named();
      if (protocol.isEmpty() || protocol.get() == Protocol.SCTP || isEnding(state)) {
        return;
      }
      var endpoints =
          serving.get(
              new Frontend(
                  original.get().destination(), protocol.get(), original.get().destinationPort()));
      if (endpoints == null
          || endpoints.contains(new Target(reply.get().source(), reply.get().sourcePort()))) {
        return;
      }
      if (stale.size() < MOST) {
        stale.add(java.util.Arrays.copyOf(name.array(), name.position()));
      } else {
        complete = false;
      }
    }
  }

  /** An attribute of netlink: length, type, value, padding to four bytes. */
  private record Attribute(int type, short rawType, ByteBuffer value) {
    static Attribute next(ByteBuffer in) {
      int start = in.position();
      int length = Math.max(4, Short.toUnsignedInt(in.getShort(start)));
      short rawType = in.getShort(start + 2);
      int end = Math.min(start + length, in.limit());
      var value = in.slice(start + 4, end - start - 4).order(ByteOrder.nativeOrder());
      in.position(Math.min(start + (length + 3) / 4 * 4, in.limit()));
      return new Attribute(
          rawType & 0x3fff, rawType, value); // without the marks "nested" and "network order"
    }

    void copyTo(ByteBuffer out) {
      out.order(ByteOrder.nativeOrder()).putShort((short) (4 + value.limit())).putShort(rawType);
      out.put(value.duplicate().rewind());
      while (out.position() % 4 != 0) {
        out.put((byte) 0);
      }
    }
  }

  /** One direction of a flow. */
  private record Tuple(
      int protocol, Address source, int sourcePort, Address destination, int destinationPort) {
    /** Empty for protocols that no Service has. */
    Optional<Protocol> named() {
      return switch (protocol) {
        case 6 -> Optional.of(Protocol.TCP);
        case UDP -> Optional.of(Protocol.UDP);
        case 132 -> Optional.of(Protocol.SCTP);
        default -> Optional.empty();
      };
    }

    /** Empty where it makes no sense. */
    static Optional<Tuple> read(ByteBuffer attributes) {
      Optional<Address> source = Optional.empty();
      Optional<Address> destination = Optional.empty();
      int protocol = 0;
      int sourcePort = 0;
      int destinationPort = 0;
      while (attributes.remaining() >= 4) {
        var part = Attribute.next(attributes);
        while (part.value().remaining() >= 4) {
          var field = Attribute.next(part.value());
          switch (part.type() << 8 | field.type()) {
            case 0x101, 0x103 ->
                source = address(field.value()); // CTA_TUPLE_IP: CTA_IP_V4_SRC, CTA_IP_V6_SRC
            case 0x102, 0x104 -> destination = address(field.value());
            case 0x201 ->
                protocol =
                    Byte.toUnsignedInt(field.value().get(0)); // CTA_TUPLE_PROTO: CTA_PROTO_NUM
            case 0x202 -> sourcePort = port(field.value());
            case 0x203 -> destinationPort = port(field.value());
            default -> {}
          }
        }
      }
      return source.isPresent() && destination.isPresent()
          ? Optional.of(
              new Tuple(protocol, source.get(), sourcePort, destination.get(), destinationPort))
          : Optional.empty();
    }

    private static Optional<Address> address(ByteBuffer value) {
      var bytes = new byte[value.remaining()];
      value.get(0, bytes);
      return bytes.length == 4 || bytes.length == 16
          ? Optional.of(Address.ofBytes(bytes))
          : Optional.empty();
    }

    private static int port(ByteBuffer value) {
      return Short.toUnsignedInt(value.order(ByteOrder.BIG_ENDIAN).getShort(0));
    }
  }

  private void dump(MemorySegment buffer, Family family, Reader pass) throws CallFailed {
    send(family, GET, (short) (REQUEST | DUMP), new byte[0]);
    while (true) {
      int length = foreign.receive(socket, buffer);
      for (int at = 0; at + 16 <= length; ) {
        int size = buffer.get(JAVA_INT, at);
        int type = Short.toUnsignedInt(buffer.get(JAVA_SHORT, at + 4));
        if ((buffer.get(JAVA_SHORT, at + 6) & INTERRUPTED) != 0) {
          pass.incomplete();
        }
        if (buffer.get(JAVA_INT, at + 8) == sequence) {
          switch (type) {
            case NLMSG_DONE -> {
              return;
            }
            case NLMSG_ERROR -> throw new CallFailed("dump", -buffer.get(JAVA_INT, at + 16));
            default ->
                pass.entry(
                    buffer
                        .asSlice(at + 20L, Math.max(0, size - 20))
                        .asByteBuffer()
                        .order(ByteOrder.nativeOrder()));
          }
        }
        at += Math.max(16, (size + 3) / 4 * 4);
      }
    }
  }

  /** 1 where the flow was there. */
  private int delete(MemorySegment answer, Family family, byte[] name) throws CallFailed {
    send(family, DELETE, (short) (REQUEST | ACK), name);
    while (true) {
      int length = foreign.receive(socket, answer);
      if (length >= 20
          && Short.toUnsignedInt(answer.get(JAVA_SHORT, 4)) == NLMSG_ERROR
          && answer.get(JAVA_INT, 8) == sequence) {
        int errno = -answer.get(JAVA_INT, 16);
        if (errno != 0 && errno != ENOENT) {
          throw new CallFailed("delete", errno);
        }
        return errno == 0 ? 1 : 0;
      }
    }
  }

  private void send(Family family, short type, short flags, byte[] attributes) throws CallFailed {
    try (var arena = Arena.ofConfined()) {
      var request = arena.allocate(20L + attributes.length, 4);
      request.set(JAVA_INT, 0, 20 + attributes.length);
      request.set(JAVA_SHORT, 4, type);
      request.set(JAVA_SHORT, 6, flags);
      request.set(JAVA_INT, 8, ++sequence);
      byte addressFamily = switch (family) { // AF_INET, AF_INET6
            case IPV4 -> 2;
            case IPV6 -> 10;
          };
      request.set(JAVA_BYTE, 16, addressFamily);
      MemorySegment.copy(attributes, 0, request, JAVA_BYTE, 20, attributes.length);
      foreign.send(socket, request);
    }
  }

  @Override
  public void close() {
    worker.close();
  }
}
