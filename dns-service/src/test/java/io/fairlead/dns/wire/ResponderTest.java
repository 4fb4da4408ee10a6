package io.fairlead.dns.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.dns.Zone;
import io.fairlead.core.dns.ZoneProjection;
import io.fairlead.core.dns.ZoneSettings;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.ServiceSpec;
import io.fairlead.core.model.ServiceSpec.Exposure;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.ClientSubnetOption;
import org.xbill.DNS.DClass;
import org.xbill.DNS.ExtendedErrorCodeOption;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

/** Octets in, octets out; the other servers are a function. */
@Timeout(30)
class ResponderTest {
  private static final String WEB = "web.default.svc.cluster.local.";
  private static final String EXTERNAL = "ext.default.svc.cluster.local.";
  private static final String ELSEWHERE = "www.example.test.";

  private static final Zone ZONE =
      ZoneProjection.of(
          new ZoneSettings("cluster.local.", List.of(), Duration.ofSeconds(5), List.of()),
          TestObjects.image(TestObjects.service("web", "10.96.0.11"), external()),
          1);

  private final List<Message> asked = new ArrayList<>();

  private static Service external() {
    var spec = TestObjects.with(TestObjects.service("x", "10.96.0.99"), s -> s).spec();
    return new Service(
        TestObjects.meta("default", "ext", Map.of()),
        new ServiceSpec(
            Exposure.EXTERNAL_NAME,
            List.of(),
            List.of(),
            spec.ipFamilyPolicy(),
            spec.selector(),
            List.of(),
            Optional.empty(),
            spec.internalTrafficPolicy(),
            Optional.empty(),
            false,
            Optional.of("www.example.test"),
            spec.balancing()));
  }

  private static Message query(String name, int type) throws IOException {
    return Message.newQuery(Record.newRecord(Name.fromString(name), type, DClass.IN));
  }

  private static Message withOption(Message query, OPTRecord opt) {
    query.addRecord(opt, Section.ADDITIONAL);
    return query;
  }

  private Message ask(Responder responder, Message query, Transport transport) throws IOException {
    return switch (responder.respond(query.toWire(), transport)) {
      case Reply.Send(var octets) -> new Message(octets);
      case Reply.Elsewhere(var pending) -> new Message(responder.resolve(pending));
      case Reply.Drop _ -> throw new AssertionError("dropped");
    };
  }

  /** Answers whatever is asked with that many addresses. */
  private Optional<Upstream> upstream(int addresses) {
    return Optional.of((octets, _) -> {
      try {
        var query = new Message(octets);
        asked.add(query);
        var answer = new Message(query.getHeader().getID());
        answer.getHeader().setFlag(Flags.QR);
        answer.addRecord(query.getQuestion(), Section.QUESTION);
        for (int i = 0; i < addresses; i++) {
          var address = InetAddress.ofLiteral("192.0.2." + i);
          answer.addRecord(
              new ARecord(query.getQuestion().getName(), DClass.IN, 60, address), Section.ANSWER);
        }
        return Optional.of(answer.toWire());
      } catch (IOException e) {
        throw new java.io.UncheckedIOException(e);
      }
    });
  }

  private Responder responder(int addresses) {
    return new Responder(() -> ZONE, () -> true, upstream(addresses));
  }

  private static Responder alone() {
    return new Responder(() -> ZONE, () -> true, Optional.empty());
  }

  @Test
  void offersRecursionOnlyWhereItAsksOthers() throws IOException {
    var query = query(WEB, Type.A);
    assertThat(ask(responder(1), query, Transport.UDP).getHeader().getFlag(Flags.RA)).isTrue();
    assertThat(ask(alone(), query, Transport.UDP).getHeader().getFlag(Flags.RA)).isFalse();
  }

  @Test
  void forwardsOtherNamesBeforeItHasReadTheLog() throws IOException {
    var unsynchronised = new Responder(() -> ZONE, () -> false, upstream(1));
    assertThat(
            ask(unsynchronised, query(ELSEWHERE, Type.A), Transport.UDP).getSection(Section.ANSWER))
        .hasSize(1);
    var own =
        ask(
            unsynchronised,
            withOption(query(WEB, Type.A), new OPTRecord(1232, 0, 0)),
            Transport.UDP);
    assertThat(own.getRcode()).isEqualTo(Rcode.SERVFAIL);
    assertThat(((ExtendedErrorCodeOption) own.getOPT().getOptions().getFirst()).getErrorCode())
        .isEqualTo(ExtendedErrorCodeOption.NOT_READY);
    assertThat(ask(unsynchronised, query(EXTERNAL, Type.A), Transport.UDP).getRcode())
        .isEqualTo(Rcode.SERVFAIL);
  }

  @Test
  void resolvesAnExternalName() throws IOException {
    var answer = ask(responder(1), query(EXTERNAL, Type.A), Transport.UDP);
    assertThat(answer.getSection(Section.ANSWER))
        .extracting(Record::getType)
        .containsExactly(Type.CNAME, Type.A);
    assertThat(asked)
        .singleElement()
        .extracting(m -> m.getQuestion().getName().toString())
        .isEqualTo(ELSEWHERE);
  }

  /** Who does not ask for recursion is given what this server itself knows (RFC 1034 4.3.1). */
  @Test
  void asksNobodyWithoutTheClientsWish() throws IOException {
    var query = query(EXTERNAL, Type.A);
    query.getHeader().unsetFlag(Flags.RD);
    var answer = ask(responder(1), query, Transport.UDP);
    assertThat(answer.getRcode()).isEqualTo(Rcode.NOERROR);
    assertThat(answer.getSection(Section.ANSWER))
        .extracting(Record::getType)
        .containsExactly(Type.CNAME);
    var other = query(ELSEWHERE, Type.A);
    other.getHeader().unsetFlag(Flags.RD);
    assertThat(ask(responder(1), other, Transport.UDP).getRcode()).isEqualTo(Rcode.REFUSED);
    assertThat(asked).isEmpty();
  }

  @Test
  void givesOneSetOfRecordsForAny() throws IOException {
    var answer = ask(responder(1), query(EXTERNAL, Type.ANY), Transport.UDP);
    assertThat(answer.getSection(Section.ANSWER))
        .extracting(Record::getType)
        .containsExactly(Type.CNAME);
    assertThat(asked).isEmpty();
    assertThat(ask(responder(1), query(WEB, Type.ANY), Transport.UDP).getSection(Section.ANSWER))
        .isEmpty();
  }

  @Test
  void keepsOptionsOfTheClientToItself() throws IOException {
    var query =
        withOption(
            query("WWW.example.test.", Type.A),
            new OPTRecord(
                1232,
                0,
                0,
                0x8000,
                List.of(new ClientSubnetOption(24, InetAddress.ofLiteral("198.51.100.0")))));
    ask(responder(1), query, Transport.UDP);
    var sent = asked.getFirst();
    assertThat(sent.getOPT().getOptions()).isEmpty();
    assertThat(sent.getOPT().getPayloadSize()).isEqualTo(1232);
    assertThat(sent.getOPT().getFlags()).as("DNSSEC OK").isEqualTo(0x8000);
    assertThat(sent.getQuestion()).isEqualTo(query.getQuestion());
    assertThat(sent.getQuestion().getName().toString()).isEqualTo("WWW.example.test.");
    assertThat(sent.getHeader().getFlag(Flags.RD)).isTrue();
  }

  @Test
  void cutsAnswersOfOthersThatTheClientCannotTake() throws IOException {
    var byUdp = ask(responder(60), query(ELSEWHERE, Type.A), Transport.UDP);
    assertThat(byUdp.getHeader().getFlag(Flags.TC)).isTrue();
    assertThat(byUdp.getSection(Section.ANSWER)).isEmpty();
    assertThat(byUdp.getQuestion().getName().toString()).isEqualTo(ELSEWHERE);
    var byTcp = ask(responder(60), query(ELSEWHERE, Type.A), Transport.TCP);
    assertThat(byTcp.getHeader().getFlag(Flags.TC)).isFalse();
    assertThat(byTcp.getSection(Section.ANSWER)).hasSize(60);
  }

  /** RFC 2181 9: what does not fit of the additional section is left out without TC. */
  @Test
  void leavesOutAdditionalRecordsThatDoNotFit() throws IOException {
    var pods =
        IntStream.range(1, 7)
            .mapToObj(i -> TestObjects.pod("p-" + i, "db", "node-a", "10.244.1." + i))
            .toList();
    var objects = new ArrayList<io.fairlead.core.model.DomainObject>(pods);
    objects.add(
        TestObjects.with(
            TestObjects.service("db", "10.96.0.14"),
            s -> s.exposure(Exposure.HEADLESS).clusterIps().families(Family.IPV4)));
    var zone =
        ZoneProjection.of(
            ZONE.settings(),
            TestObjects.image(objects.toArray(io.fairlead.core.model.DomainObject[]::new)),
            1);
    var responder = new Responder(() -> zone, () -> true, Optional.empty());
    var query = query("db.default.svc.cluster.local.", Type.SRV);
    var byTcp = ask(responder, query, Transport.TCP);
    assertThat(byTcp.getSection(Section.ANSWER)).hasSize(6);
    assertThat(byTcp.getSection(Section.ADDITIONAL)).hasSize(6);
    assertThat(byTcp.numBytes()).isGreaterThan(512);
    var byUdp = ask(responder, query, Transport.UDP);
    assertThat(byUdp.getSection(Section.ANSWER)).hasSize(6);
    assertThat(byUdp.getSection(Section.ADDITIONAL)).hasSizeLessThan(6);
    assertThat(byUdp.getHeader().getFlag(Flags.TC)).isFalse();
  }

  @Test
  void keepsEdnsInATruncatedAnswer() throws IOException {
    var ports =
        IntStream.range(1, 60)
            .mapToObj(
                i -> TestObjects.port("port-" + i, i, new io.fairlead.core.model.PortRef.Number(i)))
            .toArray(io.fairlead.core.model.ServicePort[]::new);
    var zone =
        ZoneProjection.of(
            ZONE.settings(),
            TestObjects.image(
                TestObjects.with(TestObjects.service("many", "10.96.0.12"), s -> s.ports(ports))),
            1);
    var responder = new Responder(() -> zone, () -> true, Optional.empty());
    var answer =
        ask(
            responder,
            withOption(
                query("many.default.svc.cluster.local.", Type.SRV), new OPTRecord(4096, 0, 0)),
            Transport.UDP);
    assertThat(answer.getHeader().getFlag(Flags.TC)).isTrue();
    assertThat(answer.getOPT().getPayloadSize()).isEqualTo(Responder.UDP_PAYLOAD);
    assertThat(answer.numBytes()).isLessThanOrEqualTo(Responder.UDP_PAYLOAD);
  }
}
