package io.fairlead.dns.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.dns.Zone;
import io.fairlead.core.dns.ZoneProjection;
import io.fairlead.core.dns.ZoneSettings;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.TXTRecord;
import org.xbill.DNS.Type;

/**
 * The rows of the conformance table over its fixture, of those set-ups that are offered. Octets in,
 * octets out; the other servers know one name.
 */
@Timeout(60)
class DnsConformanceTest {
  private static final Zone ZONE =
      ZoneProjection.of(
          new ZoneSettings(
              "cluster.local.",
              Stream.of("10.96.0.0/16", "10.244.0.0/16", "fd00:10:96::/48", "fd00:10:244::/48")
                  .map(Cidr::of)
                  .toList(),
              Duration.ofSeconds(5),
              List.of(Address.of("172.30.0.2"))),
          DnsFixture.image(),
          7);

  /** Rows that are answered otherwise. */
  private static final Set<String> DIFFERENT =
      Set.of("case-003"); // targets are in lower case; nobody needs them in the question's

  /** One row; answers as text, sorted. */
  record Row(String id, String name, int type, String rcode, Set<String> answers, boolean soa) {
    @Override
    public String toString() {
      return id + " " + name + " " + Type.string(type);
    }

    String setUp() {
      return id.substring(0, id.indexOf('-'));
    }
  }

  static List<Row> rows() throws IOException {
    try (var in =
            Objects.requireNonNull(
                DnsConformanceTest.class.getResourceAsStream("/conformance/dns.tsv"));
        var lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      return lines
          .lines()
          .skip(1)
          .map(line -> line.split("\t", -1))
          .filter(cells -> !DIFFERENT.contains(cells[0]))
          .map(cells ->
              new Row(
                  cells[0],
                  cells[1],
                  Type.value(cells[2]),
                  cells[3],
                  Stream.of(cells[4].split(";", -1))
                      .filter(text -> !text.isEmpty())
                      .map(text -> text.replace("@server4", "172.30.0.2"))
                      .collect(Collectors.toCollection(TreeSet::new)),
                  cells[5].equals("yes")))
          .toList();
    }
  }

  @ParameterizedTest
  @MethodSource("rows")
  void answersAsTheTableSays(Row row) throws IOException {
    var query =
        Message.newQuery(Record.newRecord(Name.fromString(row.name()), row.type(), DClass.IN));
    // Only CNAMEs may lead to the other servers where nothing else is forwarded.
    boolean forwards = row.setUp().equals("fwd") || row.name().startsWith("ext.");
    var responder =
        new Responder(
            () -> ZONE,
            () -> !row.setUp().equals("unsync"),
            forwards ? Optional.of((octets, _) -> other(octets)) : Optional.empty());
    var answer =
        switch (responder.respond(query.toWire(), Transport.TCP)) {
          case Reply.Send(var octets) -> new Message(octets);
          case Reply.Elsewhere(var pending) -> new Message(responder.resolve(pending));
          case Reply.Drop _ -> throw new AssertionError("dropped");
        };
    assertThat(Rcode.string(answer.getRcode())).isEqualTo(row.rcode());
    var texts = answer.getSection(Section.ANSWER).stream().map(DnsConformanceTest::text);
    assertThat(sorted(texts, row)).isEqualTo(sorted(row.answers().stream(), row));
    assertThat(
            answer.getSection(Section.AUTHORITY).stream()
                .filter(r -> r.getType() == Type.SOA)
                .count())
        .as("authority")
        .isEqualTo(row.soa() && !row.setUp().equals("unsync") ? 1 : 0);
  }

  /** Case counts only where the row is about it; weights never do. */
  private static List<String> sorted(Stream<String> texts, Row row) {
    return texts
        .map(text -> row.setUp().equals("case") ? text : text.toLowerCase(Locale.ROOT))
        .map(text -> text.replaceFirst("(?i) SRV 0 \\d+ ", " SRV 0 * "))
        .distinct()
        .sorted()
        .toList();
  }

  private static String text(Record r) {
    var data =
        switch (r) {
          case SOARecord soa -> r.rdataToString().replaceFirst(" " + soa.getSerial() + " ", " * ");
          case AAAARecord aaaa -> Address.of(aaaa.rdataToString()).toString();
          case TXTRecord txt -> '"' + String.join("", txt.getStrings()) + '"';
          default -> r.rdataToString();
        };
    return r.getName() + " " + Type.string(r.getType()) + " " + data;
  }

  private static Optional<byte[]> other(byte[] octets) {
    try {
      var query = new Message(octets);
      var question = query.getQuestion();
      var answer = new Message(query.getHeader().getID());
      answer.getHeader().setFlag(Flags.QR);
      answer.addRecord(question, Section.QUESTION);
      if (question.getName().toString().equals("www.example.test.")) {
        if (question.getType() == Type.A) {
          answer.addRecord(
              new ARecord(question.getName(), DClass.IN, 60, InetAddress.ofLiteral("192.0.2.53")),
              Section.ANSWER);
        }
      } else {
        answer.getHeader().setRcode(Rcode.NXDOMAIN);
        var zone = Name.fromString("example.test.");
        answer.addRecord(
            new SOARecord(zone, DClass.IN, 60, zone, zone, 1, 1, 1, 1, 1), Section.AUTHORITY);
      }
      return Optional.of(answer.toWire());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
