package io.fairlead.dns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.dns.server.ServerSockets;
import io.fairlead.eventlog.log.EventLog;
import io.fairlead.eventlog.log.FakeKafka;
import io.fairlead.runtime.GrpcChannels;
import io.fairlead.runtime.HostPort;
import io.fairlead.v1.LogGrpc;
import io.fairlead.v1.LogStatusRequest;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

/** Starts before there is a Kafka. Real sockets on loopback, a log in memory. */
@Timeout(60)
class DnsStartTest {
  private static Message ask(DnsService server, String name) throws IOException {
    try (var socket = new DatagramSocket()) {
      socket.connect(server.addresses().getFirst());
      socket.setSoTimeout(10_000);
      var query =
          Message.newQuery(Record.newRecord(Name.fromString(name), Type.A, DClass.IN)).toWire();
      socket.send(new DatagramPacket(query, query.length));
      var packet = new DatagramPacket(new byte[65_535], 65_535);
      socket.receive(packet);
      return new Message(Arrays.copyOf(packet.getData(), packet.getLength()));
    }
  }

  private static HttpResponse<String> readyz(DnsService server) throws Exception {
    try (var client = HttpClient.newHttpClient()) {
      var uri = URI.create("http://127.0.0.1:" + server.httpPort() + "/readyz");
      return client.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
    }
  }

  /** Who answers {@code Log.Status}. */
  private static String log(DnsService server) {
    var channel = GrpcChannels.of(List.of(new HostPort("127.0.0.1", server.grpcPort())));
    try {
      return LogGrpc.newBlockingStub(channel)
          .withDeadlineAfter(Duration.ofSeconds(20))
          .status(LogStatusRequest.getDefaultInstance())
          .getReplica();
    } finally {
      channel.shutdownNow();
    }
  }

  @Test
  void forwardsAndSaysWhatItWaitsForUntilTheLogIsThere() throws Exception {
    var kafka = new FakeKafka(Time.system());
    var there = new AtomicBoolean();
    java.util.function.Supplier<EventLog> open =
        () -> {
          if (!there.get()) {
            throw new GatewayException(Outcome.KNOWN_FAILED, "no brokers at nowhere:9092");
          }
          return kafka.connect();
        };
    try (var client = kafka.connect();
        var appender = client.openAppender(LogPartition.SERVICES)) {
      var web = TestObjects.service("web", "10.96.0.11");
      appender.append(List.of(TestObjects.stored(LogPartition.SERVICES, 0, web).event()));
    }
    try (var upstream = UpstreamStub.start();
        var server =
            DnsService.start(
                DnsServiceTest.config(new DnsConfig.Forward.Servers(List.of(upstream.address()))),
                open,
                Time.system(),
                RandomSource.seeded(7),
                ServerSockets.plain())) {
      assertThat(ask(server, "www.example.test.").getSection(Section.ANSWER)).hasSize(1);
      assertThat(ask(server, "web.default.svc.cluster.local.").getRcode())
          .isEqualTo(Rcode.SERVFAIL);
      await("it says why")
          .untilAsserted(() -> {
            var answer = readyz(server);
            assertThat(answer.statusCode()).isEqualTo(503);
            assertThat(answer.body()).contains("no brokers at nowhere:9092");
          });

      there.set(true);

      await("it is ready").until(() -> readyz(server).statusCode() == 200);
      assertThat(log(server)).isEqualTo("dns-0");
      assertThat(ask(server, "web.default.svc.cluster.local.").getRcode()).isEqualTo(Rcode.NOERROR);
    }
  }
}
