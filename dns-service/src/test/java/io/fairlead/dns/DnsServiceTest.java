package io.fairlead.dns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.PortRef;
import io.fairlead.core.model.Service;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.dns.server.ServerSockets;
import io.fairlead.eventlog.log.FakeKafka;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.ServerSocketChannel;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.xbill.DNS.DClass;
import org.xbill.DNS.ExtendedErrorCodeOption;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

/**
 * Real sockets on loopback, a log in memory. Row numbers are those of the DNS wire conformance
 * table in the documentation.
 */
@Timeout(60)
class DnsServiceTest {
  private static final String WEB = "web.default.svc.cluster.local.";

  private final FakeKafka kafka = new FakeKafka(Time.system());
  private UpstreamStub upstream;
  private DnsService service;

  @BeforeEach
  void start() throws IOException {
    upstream = UpstreamStub.start();
    service =
        DnsService.start(
            config(new DnsConfig.Forward.Servers(List.of(upstream.address()))),
            kafka::connect,
            Time.system(),
            RandomSource.seeded(7),
            ServerSockets.plain());
    append(TestObjects.service("web", "10.96.0.11"));
    await("the Service is served").until(() -> ask(query(WEB, Type.A)).getRcode() == Rcode.NOERROR);
  }

  @AfterEach
  void stop() throws Exception {
    service.close();
    upstream.close();
  }

  static DnsConfig config(DnsConfig.Forward forward) {
    var values =
        (io.fairlead.runtime.ConfigSchema.Complete)
            DnsConfig.SCHEMA.parse(
                new String[] {
                  "--replica=dns-0",
                  "--kafka-bootstrap=127.0.0.1:9092",
                  "--listen=127.0.0.1:0",
                  "--grpc-listen=127.0.0.1:0",
                  "--http-listen=127.0.0.1:0"
                },
                java.util.Map.of());
    var config = DnsConfig.of(values.values());
    return new DnsConfig(
        config.replica(),
        config.kafkaBootstrap(),
        config.replicationFactor(),
        config.development(),
        config.listen(),
        config.grpcListen(),
        config.httpListen(),
        config.domain(),
        config.reverse(),
        config.ttl(),
        forward,
        config.registration(),
        Optional.empty());
  }

  private void append(Service... services) {
    try (var client = kafka.connect();
        var appender = client.openAppender(LogPartition.SERVICES)) {
      appender.append(
          Stream.of(services)
              .<LogEvent>map(s -> TestObjects.stored(LogPartition.SERVICES, 0, s).event())
              .toList());
    }
  }

  private static Message query(String name, int type) throws IOException {
    return Message.newQuery(Record.newRecord(Name.fromString(name), type, DClass.IN));
  }

  private Message ask(Message query) throws IOException {
    return new Message(exchange(query.toWire()).orElseThrow());
  }

  private Optional<byte[]> exchange(byte[] octets) throws IOException {
    return exchange(service, octets);
  }

  /**
   * Empty = no answer: a second query, sent after it, was answered instead. The server answers its
   * own zones in order.
   */
  private static Optional<byte[]> exchange(DnsService server, byte[] octets) throws IOException {
    try (var socket = new DatagramSocket()) {
      socket.connect(server.addresses().getFirst());
      socket.setSoTimeout(5_000);
      var end = query("end.default.svc.cluster.local.", Type.A);
      end.getHeader().setID(id(octets) ^ 1);
      boolean answered = (octets.length >= 12) && (octets[2] & 0x80) == 0;
      socket.send(new DatagramPacket(octets, octets.length));
      if (!answered) {
        socket.send(new DatagramPacket(end.toWire(), end.toWire().length));
      }
      var packet = new DatagramPacket(new byte[65_535], 65_535);
      socket.receive(packet);
      var answer = Arrays.copyOf(packet.getData(), packet.getLength());
      return id(answer) == id(octets) ? Optional.of(answer) : Optional.empty();
    }
  }

  private static int id(byte[] message) {
    return (message[0] & 255) << 8 | message[1] & 255;
  }

  private byte[] exchangeByTcp(byte[]... queries) throws IOException {
    try (var socket = new Socket()) {
      socket.connect(service.addresses().getFirst());
      socket.setSoTimeout(5_000);
      byte[] answer = {};
      for (var octets : queries) {
        var framed =
            ByteBuffer.allocate(octets.length + 2).putShort((short) octets.length).put(octets);
        socket.getOutputStream().write(framed.array());
      }
      socket.shutdownOutput();
      var in = new DataInputStream(socket.getInputStream());
      for (int i = 0; i < queries.length; i++) {
        answer = new byte[in.readUnsignedShort()];
        in.readFully(answer);
      }
      return answer;
    }
  }

  @Test
  void answersAuthoritativelyAndEchoesTheQuestion() throws IOException {
    var query = query("WeB.dEfault.svc.cluster.LOCAL.", Type.A);
    var answer = ask(query);
    assertThat(answer.getHeader().getID()).isEqualTo(query.getHeader().getID());
    assertThat(answer.getHeader().getFlag(Flags.AA)).isTrue();
    assertThat(answer.getHeader().getFlag(Flags.RD)).isTrue();
    assertThat(answer.getHeader().getFlag(Flags.RA)).as("it asks others on request").isTrue();
    assertThat(answer.getQuestion().getName().toString())
        .isEqualTo("WeB.dEfault.svc.cluster.LOCAL.");
    assertThat(answer.getSection(Section.ANSWER).getFirst().getName().toString())
        .isEqualTo("WeB.dEfault.svc.cluster.LOCAL.");
    assertThat(answer.getSection(Section.ANSWER).getFirst().rdataToString())
        .isEqualTo("10.96.0.11");
    assertThat(answer.getSection(Section.ANSWER).getFirst().getTTL()).isEqualTo(5);
    assertThat(answer.getOPT()).isNull();
  }

  @Test
  void saysNoDataWithTheAuthorityWhereThereIsNoIpv6Address() throws IOException {
    var answer = ask(query(WEB, Type.AAAA));
    assertThat(answer.getRcode()).isEqualTo(Rcode.NOERROR);
    assertThat(answer.getSection(Section.ANSWER)).isEmpty();
    assertThat(answer.getSection(Section.AUTHORITY).getFirst().getType()).isEqualTo(Type.SOA);
    assertThat(ask(query("ghost.default.svc.cluster.local.", Type.AAAA)).getRcode())
        .isEqualTo(Rcode.NXDOMAIN);
  }

  /**
   * @param rcode -1 stands for no answer at all
   */
  @SuppressWarnings("ArrayRecordComponent") // only sent
  record Wire(String row, byte[] query, int rcode) {
    @Override
    public String toString() {
      return row;
    }
  }

  static List<Wire> wire() throws IOException {
    var good = query(WEB, Type.A);
    var opcode = query(WEB, Type.A);
    opcode.getHeader().setOpcode(Opcode.STATUS);
    var notify = query(WEB, Type.A);
    notify.getHeader().setOpcode(Opcode.NOTIFY);
    var response = query(WEB, Type.A);
    response.getHeader().setFlag(Flags.QR);
    var version = query(WEB, Type.A);
    version.addRecord(new OPTRecord(1232, 0, 1), Section.ADDITIONAL);
    var twice = query(WEB, Type.A);
    twice.addRecord(new OPTRecord(1232, 0, 0), Section.ADDITIONAL);
    twice.addRecord(new OPTRecord(1232, 0, 0), Section.ADDITIONAL);
    var withAnswer = query(WEB, Type.A);
    withAnswer.addRecord(
        new org.xbill.DNS.ARecord(
            Name.fromString(WEB), DClass.IN, 5, InetAddress.ofLiteral("10.0.0.1")),
        Section.ANSWER);
    var none = query(WEB, Type.A);
    none.removeAllRecords(Section.QUESTION);
    var two = query(WEB, Type.A);
    two.addRecord(Record.newRecord(Name.fromString(WEB), Type.AAAA, DClass.IN), Section.QUESTION);
    var chaos =
        Message.newQuery(
            Record.newRecord(Name.fromString("version.bind."), Type.TXT, DClass.CHAOS));
    var octets = good.toWire();
    var junk = Arrays.copyOf(octets, octets.length + 20);
    var torn = Arrays.copyOf(octets, octets.length - 6);
    return List.of(
        new Wire("W08 EDNS version 1", version.toWire(), Rcode.BADVERS),
        new Wire("W11 two OPT records", twice.toWire(), Rcode.FORMERR),
        new Wire("W18 no question", none.toWire(), Rcode.FORMERR),
        new Wire("W19 two questions", two.toWire(), Rcode.FORMERR),
        new Wire("W20 a query with an answer", withAnswer.toWire(), Rcode.FORMERR),
        new Wire("W21 another opcode", opcode.toWire(), Rcode.NOTIMP),
        new Wire("W22 NOTIFY", notify.toWire(), Rcode.NOTIMP),
        new Wire("W23 an answer", response.toWire(), -1),
        new Wire("W24 too short", Arrays.copyOf(octets, 11), -1),
        new Wire("W25 ends within the question", torn, Rcode.FORMERR),
        new Wire("W28 followed by junk", junk, Rcode.NOERROR),
        new Wire("W29 another class", chaos.toWire(), Rcode.REFUSED),
        new Wire("W32 an unknown type", query(WEB, 65_280).toWire(), Rcode.NOERROR),
        new Wire("W33 HTTPS", query(WEB, Type.HTTPS).toWire(), Rcode.NOERROR),
        new Wire("W34 ANY", query(WEB, Type.ANY).toWire(), Rcode.NOERROR),
        new Wire("a transfer", query("cluster.local.", Type.AXFR).toWire(), Rcode.REFUSED));
  }

  @ParameterizedTest
  @MethodSource("wire")
  void keepsToTheProtocol(Wire row) throws IOException {
    var answer = exchange(row.query());
    if (row.rcode() < 0) {
      assertThat(answer).isEmpty();
      return;
    }
    var message = new Message(answer.orElseThrow());
    assertThat(message.getHeader().getFlag(Flags.QR)).isTrue();
    assertThat(message.getRcode()).isEqualTo(row.rcode());
  }

  @Test
  void cutsLongAnswersByUdpAndGivesThemWholeByTcp() throws IOException {
    append(
        TestObjects.with(
            TestObjects.service("many", "10.96.0.12"),
            s ->
                s.ports(
                    java.util.stream.IntStream.range(1, 60)
                        .mapToObj(i -> TestObjects.port("port-" + i, i, new PortRef.Number(i)))
                        .toArray(io.fairlead.core.model.ServicePort[]::new))));
    var query = query("many.default.svc.cluster.local.", Type.SRV);
    await("the Service is served").until(() -> ask(query).getRcode() == Rcode.NOERROR);
    var byUdp = ask(query);
    assertThat(byUdp.getHeader().getFlag(Flags.TC)).isTrue();
    assertThat(byUdp.numBytes()).isLessThanOrEqualTo(512);
    var byTcp = new Message(exchangeByTcp(query.toWire()));
    assertThat(byTcp.getHeader().getFlag(Flags.TC)).isFalse();
    assertThat(byTcp.getSection(Section.ANSWER)).hasSize(59);
  }

  @Test
  void answersSeveralQueriesOfOneConnection() throws IOException {
    var answer =
        new Message(
            exchangeByTcp(query("ghost." + WEB, Type.A).toWire(), query(WEB, Type.A).toWire()));
    assertThat(answer.getRcode()).isEqualTo(Rcode.NOERROR);
  }

  @Test
  void forwardsNamesOfOtherZones() throws IOException {
    var answer = ask(query("www.example.test.", Type.A));
    assertThat(answer.getSection(Section.ANSWER).getFirst().rdataToString())
        .isEqualTo("192.0.2.53");
    assertThat(answer.getHeader().getFlag(Flags.AA)).isFalse();
    assertThat(upstream.asked()).isEqualTo(1);
    assertThat(ask(query("ghost.default.svc.cluster.local.", Type.A)).getRcode())
        .isEqualTo(Rcode.NXDOMAIN);
    assertThat(upstream.asked()).as("a served zone is never forwarded").isEqualTo(1);
  }

  @Test
  void saysSoWhereNoOtherServerAnswers() throws Exception {
    upstream.close();
    var query = query("www.example.test.", Type.A);
    query.addRecord(new OPTRecord(1232, 0, 0), Section.ADDITIONAL);
    var answer = new Message(exchangeByTcp(query.toWire()));
    assertThat(answer.getRcode()).isEqualTo(Rcode.SERVFAIL);
    assertThat(answer.getOPT().getOptions().getFirst()).isInstanceOf(ExtendedErrorCodeOption.class);
  }

  @Test
  void deniesNothingBeforeItHasReadTheLog() throws IOException {
    var away = new FakeKafka(Time.system());
    var log = away.connect();
    away.stop();
    try (var unsynchronised =
        DnsService.start(
            config(new DnsConfig.Forward.Nowhere()),
            () -> log,
            Time.system(),
            RandomSource.seeded(7),
            ServerSockets.plain())) {
      var query = query(WEB, Type.A);
      query.addRecord(new OPTRecord(1232, 0, 0), Section.ADDITIONAL);
      var answer = new Message(exchange(unsynchronised, query.toWire()).orElseThrow());
      assertThat(answer.getRcode()).isEqualTo(Rcode.SERVFAIL);
      assertThat(((ExtendedErrorCodeOption) answer.getOPT().getOptions().getFirst()).getErrorCode())
          .isEqualTo(ExtendedErrorCodeOption.NOT_READY);
    }
  }

  @Test
  void goesOnServingWhileKafkaIsAway() throws IOException {
    kafka.stop();
    assertThat(ask(query(WEB, Type.A)).getRcode()).isEqualTo(Rcode.NOERROR);
    kafka.start();
    append(TestObjects.service("later", "10.96.0.13"));
    await("what came after is served")
        .until(() ->
            ask(query("later.default.svc.cluster.local.", Type.A)).getRcode() == Rcode.NOERROR);
  }

  @Test
  void takesAnotherPortWhereTcpHasNoPlaceBesideUdp() throws Exception {
    var refused = new java.util.concurrent.atomic.AtomicInteger();
    var sockets =
        new ServerSockets() {
          @Override
          public DatagramChannel udp(InetSocketAddress address) throws IOException {
            return ServerSockets.plain().udp(address);
          }

          @Override
          public ServerSocketChannel tcp(InetSocketAddress address) throws IOException {
            if (refused.getAndIncrement() == 0) {
              throw new java.net.BindException("Address already in use");
            }
            return ServerSockets.plain().tcp(address);
          }
        };
    try (var other =
        DnsService.start(
            config(new DnsConfig.Forward.Nowhere()),
            kafka::connect,
            Time.system(),
            RandomSource.seeded(7),
            sockets)) {
      assertThat(exchange(other, query(WEB, Type.A).toWire())).isPresent();
      assertThat(refused).hasValue(2);
    }
  }

  @Test
  void opensItsSocketsWhereItIsTold() throws Exception {
    var opened = new java.util.ArrayList<java.nio.channels.Channel>();
    var sockets =
        new ServerSockets() {
          @Override
          public DatagramChannel udp(InetSocketAddress address) throws IOException {
            var channel = ServerSockets.plain().udp(address);
            opened.add(channel);
            return channel;
          }

          @Override
          public ServerSocketChannel tcp(InetSocketAddress address) throws IOException {
            var channel = ServerSockets.plain().tcp(address);
            opened.add(channel);
            return channel;
          }
        };
    try (var elsewhere =
        DnsService.start(
            config(new DnsConfig.Forward.Nowhere()),
            kafka::connect,
            Time.system(),
            RandomSource.seeded(7),
            sockets)) {
      assertThat(((DatagramChannel) opened.getFirst()).getLocalAddress())
          .isEqualTo(elsewhere.addresses().getFirst());
      assertThat(((ServerSocketChannel) opened.getLast()).getLocalAddress())
          .isEqualTo(elsewhere.addresses().getFirst());
      assertThat(exchange(elsewhere, query(WEB, Type.A).toWire())).isPresent();
    }
    assertThat(opened).hasSize(2).noneMatch(java.nio.channels.Channel::isOpen);
  }
}
