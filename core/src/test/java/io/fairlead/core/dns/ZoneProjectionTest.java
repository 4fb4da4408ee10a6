package io.fairlead.core.dns;

import static io.fairlead.core.image.TestObjects.image;
import static io.fairlead.core.image.TestObjects.meta;
import static io.fairlead.core.image.TestObjects.pod;
import static io.fairlead.core.image.TestObjects.port;
import static io.fairlead.core.image.TestObjects.probed;
import static io.fairlead.core.image.TestObjects.ready;
import static io.fairlead.core.image.TestObjects.service;
import static io.fairlead.core.image.TestObjects.slice;
import static io.fairlead.core.image.TestObjects.stored;
import static io.fairlead.core.image.TestObjects.terminating;
import static io.fairlead.core.image.TestObjects.unready;
import static io.fairlead.core.image.TestObjects.with;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ManualSlice;
import io.fairlead.core.model.Namespace;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PortRef;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.ServiceSpec;
import io.fairlead.core.model.ServiceSpec.Exposure;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(30)
class ZoneProjectionTest {
  private static final ZoneSettings SETTINGS =
      new ZoneSettings(
          "cluster.local.",
          List.of(Cidr.of("10.96.0.0/16"), Cidr.of("10.244.0.0/16"), Cidr.of("fd00:10:96::/48")),
          Duration.ofSeconds(5),
          List.of(Address.of("172.30.0.2")));

  /** The objects that the rows ask about; all in namespace default. */
  private static ClusterImage objects() {
    var db0 = named(pod("db-0", "db", "node-a", "10.244.1.10"), "db-0", "db");
    var db1 = named(pod("db-1", "db", "node-b", "10.244.2.10"), "db-1", "db");
    var lazy = probed(pod("db-2", "db", "node-c", "10.244.3.10"));
    return image(
        with(
            service("web", "10.96.0.11"), s -> s.ports(port("http", 80, new PortRef.Number(8080)))),
        with(
            service("multi", "10.96.0.12"),
            s ->
                s.ports(
                    port("http", 80, new PortRef.Number(8080)),
                    port("metrics", 9090, new PortRef.Number(9090)))),
        service("unnamed", "10.96.0.13"),
        with(
            service("db", "10.96.0.14"),
            s ->
                s.exposure(Exposure.HEADLESS)
                    .clusterIps()
                    .families(Family.IPV4)
                    .ports(port("pg", 5432, new PortRef.Number(5433)))),
        with(
            service("drained", "10.96.0.15"),
            s -> s.exposure(Exposure.HEADLESS).clusterIps().families(Family.IPV4)),
        with(service("six", "fd00:10:96::15"), s -> s),
        external("ext", "www.example.test"),
        external("ext-in", "web.default.svc.cluster.local"),
        external("ext-loop", "ext-loop.default.svc.cluster.local"),
        external("ext-ip", "192.0.2.1"),
        external("ext-long", "x".repeat(64) + ".example.test"),
        pod("web-0", "web", "node-a", "10.244.1.11"),
        db0,
        db1,
        lazy,
        terminating(pod("db-3", "db", "node-c", "10.244.3.11")),
        unready(lazy));
  }

  private static Service external(String name, String target) {
    var spec = with(service(name, "10.96.0.99"), s -> s.clusterIps().families()).spec();
    return new Service(
        meta("default", name, Map.of()),
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
            Optional.of(target),
            spec.balancing()));
  }

  private static Pod named(Pod pod, String hostname, String subdomain) {
    return new Pod(
        pod.meta(),
        new Pod.Spec(
            pod.spec().nodeName(),
            false,
            Optional.of(hostname),
            Optional.of(subdomain),
            pod.spec().containers()),
        pod.status(),
        pod.source());
  }

  /**
   * @param expected what is answered: outcome, then {@code TYPE data} of each record, sorted
   */
  record Case(String why, String name, DnsType type, String expected) {
    @Override
    public String toString() {
      return why + ": " + name + " " + type;
    }
  }

  static List<Case> rows() {
    var web = "web.default.svc.cluster.local.";
    var db = "db.default.svc.cluster.local.";
    return List.of(
        new Case("a ClusterIP", web, DnsType.A, "FOUND A 10.96.0.11"),
        new Case("any case", "WeB.DeFault.sVc.Cluster.Local.", DnsType.A, "FOUND A 10.96.0.11"),
        new Case("no address of the family", web, DnsType.AAAA, "NO_DATA soa"),
        new Case(
            "an IPv6 ClusterIP",
            "six.default.svc.cluster.local.",
            DnsType.AAAA,
            "FOUND AAAA fd00:10:96::15"),
        new Case("no IPv4 address", "six.default.svc.cluster.local.", DnsType.A, "NO_DATA soa"),
        new Case("an unknown type", web, DnsType.OTHER, "NO_DATA soa"),
        new Case(
            "an unknown Service", "ghost.default.svc.cluster.local.", DnsType.A, "NAME_ERROR soa"),
        new Case(
            "an unknown namespace", "web.nons.svc.cluster.local.", DnsType.A, "NAME_ERROR soa"),
        new Case("a namespace", "default.svc.cluster.local.", DnsType.A, "NO_DATA soa"),
        new Case("a namespace of Pods", "default.pod.cluster.local.", DnsType.A, "NO_DATA soa"),
        new Case(
            "a wildcard is a label", "*.default.svc.cluster.local.", DnsType.A, "NAME_ERROR soa"),
        new Case("a named port", "_http._tcp." + web, DnsType.SRV, "FOUND SRV 80 " + web),
        new Case("another protocol", "_http._udp." + web, DnsType.SRV, "NAME_ERROR soa"),
        new Case("an empty non-terminal", "_tcp." + web, DnsType.A, "NO_DATA soa"),
        new Case("only SRV at a port's name", "_http._tcp." + web, DnsType.A, "NO_DATA soa"),
        new Case(
            "SRV of all ports",
            "multi.default.svc.cluster.local.",
            DnsType.SRV,
            "FOUND SRV 80 multi.default.svc.cluster.local. SRV 9090 multi.default.svc.cluster.local."),
        new Case(
            "SRV of an unnamed port",
            "unnamed.default.svc.cluster.local.",
            DnsType.SRV,
            "FOUND SRV 80 unnamed.default.svc.cluster.local."),
        new Case(
            "no name of an unnamed port",
            "_80._tcp.unnamed.default.svc.cluster.local.",
            DnsType.SRV,
            "NAME_ERROR soa"),
        new Case(
            "a headless Service: ready Pods only",
            db,
            DnsType.A,
            "FOUND A 10.244.1.10 A 10.244.2.10"),
        new Case(
            "ports of Pods",
            "_pg._tcp." + db,
            DnsType.SRV,
            "FOUND SRV 5433 db-0." + db + " SRV 5433 db-1." + db),
        new Case("a Pod by hostname", "db-0." + db, DnsType.A, "FOUND A 10.244.1.10"),
        new Case("a Pod that is not ready", "10-244-3-10." + db, DnsType.A, "NAME_ERROR soa"),
        new Case("a Pod that is terminating", "10-244-3-11." + db, DnsType.A, "NAME_ERROR soa"),
        new Case("nobody ready", "drained.default.svc.cluster.local.", DnsType.A, "NAME_ERROR soa"),
        new Case(
            "a Pod of a ClusterIP Service", "10-244-1-11." + web, DnsType.A, "FOUND A 10.244.1.11"),
        new Case(
            "reverse of a ClusterIP", "11.0.96.10.in-addr.arpa.", DnsType.PTR, "FOUND PTR " + web),
        new Case(
            "reverse of a Pod", "10.1.244.10.in-addr.arpa.", DnsType.PTR, "FOUND PTR db-0." + db),
        new Case("reverse of nobody", "77.0.96.10.in-addr.arpa.", DnsType.PTR, "NAME_ERROR soa"),
        new Case("reverse non-terminal", "0.96.10.in-addr.arpa.", DnsType.PTR, "NO_DATA soa"),
        new Case("another type in reverse", "11.0.96.10.in-addr.arpa.", DnsType.A, "NO_DATA soa"),
        new Case(
            "an external name",
            "ext.default.svc.cluster.local.",
            DnsType.CNAME,
            "FOUND CNAME www.example.test."),
        new Case(
            "an external name elsewhere",
            "ext.default.svc.cluster.local.",
            DnsType.A,
            "FOUND CNAME www.example.test. unresolved www.example.test."),
        new Case(
            "an external name here",
            "ext-in.default.svc.cluster.local.",
            DnsType.A,
            "FOUND CNAME " + web + " A 10.96.0.11"),
        new Case(
            "the end of the chain decides",
            "ext-in.default.svc.cluster.local.",
            DnsType.AAAA,
            "NO_DATA CNAME " + web + " soa"),
        new Case("a loop ends", "ext-loop.default.svc.cluster.local.", DnsType.A, "NO_DATA soa"),
        new Case(
            "an address is no external name",
            "ext-ip.default.svc.cluster.local.",
            DnsType.A,
            "NAME_ERROR soa"),
        new Case(
            "an external name that no message can hold",
            "ext-long.default.svc.cluster.local.",
            DnsType.A,
            "NAME_ERROR soa"),
        new Case("the version", "dns-version.cluster.local.", DnsType.TXT, "FOUND TXT 1.1.0"),
        new Case(
            "the version has no address", "dns-version.cluster.local.", DnsType.A, "NO_DATA soa"),
        new Case("the server", "ns.dns.cluster.local.", DnsType.A, "FOUND A 172.30.0.2"),
        new Case("above the server", "dns.cluster.local.", DnsType.A, "NO_DATA soa"),
        new Case("name servers", "cluster.local.", DnsType.NS, "FOUND NS ns.dns.cluster.local."),
        new Case("authority", "cluster.local.", DnsType.SOA, "FOUND SOA"),
        new Case("authority is at the apex only", web, DnsType.SOA, "NO_DATA soa"),
        new Case("authority of a reverse zone", "96.10.in-addr.arpa.", DnsType.SOA, "FOUND SOA"),
        new Case("another zone", "www.example.test.", DnsType.A, "not served"),
        new Case("a range that is not ours", "1.2.0.192.in-addr.arpa.", DnsType.PTR, "not served"));
  }

  @ParameterizedTest
  @MethodSource("rows")
  void answers(Case row) {
    var zone = ZoneProjection.of(SETTINGS, objects(), 7);
    assertThat(text(zone.lookup(row.name(), row.type()))).isEqualTo(row.expected());
  }

  private static String text(Answer answer) {
    return switch (answer) {
      case Answer.NotServed _ -> "not served";
      case Answer.Served served -> {
        var records =
            served.records().stream()
                .map(r -> text(r.data()))
                .sorted(
                    java.util.Comparator.comparing((String t) -> !t.startsWith("CNAME"))
                        .thenComparing(t -> t))
                .collect(Collectors.joining(" "));
        yield (served.outcome()
                + " "
                + records
                + served.authority().map(_ -> " soa").orElse("")
                + served.unresolved().map(name -> " unresolved " + name).orElse(""))
            .replace("  ", " ");
      }
    };
  }

  private static String text(RecordData data) {
    return switch (data) {
      case RecordData.Host(var address) -> data.type() + " " + address;
      case RecordData.Srv(int number, var target) -> "SRV " + number + " " + target;
      case RecordData.Ptr(var target) -> "PTR " + target;
      case RecordData.Txt(var words) -> "TXT " + words;
      case RecordData.Cname(var target) -> "CNAME " + target;
      case RecordData.Ns(var target) -> "NS " + target;
      case RecordData.Soa _ -> "SOA";
    };
  }

  @Test
  void negativeAnswersCarryTheAuthorityOfTheLongestZone() {
    var zone = ZoneProjection.of(SETTINGS, objects(), 7);
    var answer = (Answer.Served) zone.lookup("77.0.96.10.in-addr.arpa.", DnsType.PTR);
    var soa = answer.authority().orElseThrow();
    assertThat(soa.owner()).isEqualTo("96.10.in-addr.arpa.");
    assertThat(soa.data())
        .isEqualTo(
            new RecordData.Soa(
                "ns.dns.96.10.in-addr.arpa.", "hostmaster.96.10.in-addr.arpa.", 7, 5));
  }

  /** Otherwise one such name would fail only when it is asked for. */
  @Test
  void leavesOutWhatNoMessageCanHold() {
    var domain = ("d".repeat(59) + ".").repeat(3);
    var settings = new ZoneSettings(domain, SETTINGS.reverse(), SETTINGS.ttl(), SETTINGS.servers());
    var longest = "s".repeat(63);
    var image = image(service("web", "10.96.0.11"), service(longest, "10.96.0.12"));
    var zone = ZoneProjection.of(settings, image, 1);

    assertThat(text(zone.lookup("web.default.svc." + domain, DnsType.A)))
        .isEqualTo("FOUND A 10.96.0.11");
    assertThat(longest + ".default.svc." + domain).hasSizeGreaterThan(254);
    assertThat(text(zone.lookup(longest + ".default.svc." + domain, DnsType.A)))
        .isEqualTo("NAME_ERROR soa");
    assertThat(text(zone.lookup("12.0.96.10.in-addr.arpa.", DnsType.PTR)))
        .isEqualTo("NAME_ERROR soa");
    var gone = TestObjects.delta(image, service("web", "10.96.0.13"));
    assertThat(ZoneProjection.update(zone, gone, gone.apply(), 2))
        .isEqualTo(ZoneProjection.of(settings, gone.apply(), 2));
  }

  @Test
  void aPodThatBecomesReadyAppears() {
    var base = objects();
    var pod = base.pods().get(TestObjects.name("db-2")).orElseThrow().object();
    var delta = TestObjects.delta(base, ready(pod));
    var zone = ZoneProjection.update(ZoneProjection.of(SETTINGS, base, 1), delta, delta.apply(), 2);
    assertThat(text(zone.lookup("10-244-3-10.db.default.svc.cluster.local.", DnsType.A)))
        .isEqualTo("FOUND A 10.244.3.10");
  }

  @Test
  void aNamespaceExistsWhileItHasARecordOrAService() {
    var team = new Namespace(meta("", "team", Map.of()));
    var made = TestObjects.delta(ClusterImage.EMPTY, team);
    var zone = ZoneProjection.update(ZoneProjection.empty(SETTINGS), made, made.apply(), 2);
    assertThat(text(zone.lookup("team.svc.cluster.local.", DnsType.A))).isEqualTo("NO_DATA soa");
    assertThat(text(zone.lookup("web.team.svc.cluster.local.", DnsType.A)))
        .isEqualTo("NAME_ERROR soa");
    assertThat(
            text(
                ZoneProjection.of(SETTINGS, made.apply(), 2)
                    .lookup("team.svc.cluster.local.", DnsType.A)))
        .isEqualTo("NO_DATA soa");

    var gone = TestObjects.deletion(made.apply(), team);
    zone = ZoneProjection.update(zone, gone, gone.apply(), 3);
    assertThat(text(zone.lookup("team.svc.cluster.local.", DnsType.A))).isEqualTo("NAME_ERROR soa");

    var inDefault = TestObjects.image(service("web", "10.96.0.11"));
    var also = TestObjects.delta(inDefault, new Namespace(meta("", "default", Map.of())));
    var without = TestObjects.deletion(also.apply(), new Namespace(meta("", "default", Map.of())));
    zone = ZoneProjection.of(SETTINGS, also.apply(), 4);
    zone = ZoneProjection.update(zone, without, without.apply(), 5);
    assertThat(text(zone.lookup("default.svc.cluster.local.", DnsType.A)))
        .as("its Service is there still")
        .isEqualTo("NO_DATA soa");
  }

  @Test
  void anUnalignedRangeBecomesSeveralReverseZones() {
    assertThat(ZoneSettings.reverseZones(Cidr.of("10.96.0.0/15")))
        .containsExactly("96.10.in-addr.arpa.", "97.10.in-addr.arpa.");
    assertThat(ZoneSettings.reverseZones(Cidr.of("fd00:10:96::/48")))
        .containsExactly("6.9.0.0.0.1.0.0.0.0.d.f.ip6.arpa.");
  }

  /**
   * Step by step or at once, the zone is the same: nothing is forgotten and nothing stays behind.
   */
  @RepeatedTest(20)
  void stepsAddUpToTheWhole() {
    long seed = System.nanoTime();
    System.out.println("ZoneProjectionTest seed " + seed);
    var random = new Random(seed);
    var image = ClusterImage.EMPTY;
    var zone = ZoneProjection.empty(SETTINGS);
    for (int step = 1; step <= 150; step++) {
      var delta = new ClusterDelta(image);
      for (int i = random.nextInt(3); i >= 0; i--) {
        var object = randomObject(random);
        delta.replay(
            random.nextInt(4) == 0
                ? TestObjects.deleted(LogPartition.SERVICES, step, object)
                : stored(LogPartition.SERVICES, step, object));
      }
      var next = delta.apply();
      zone = ZoneProjection.update(zone, delta, next, step);
      image = next;
      assertThat(zone)
          .as("seed %s step %s", seed, step)
          .isEqualTo(ZoneProjection.of(SETTINGS, image, step));
    }
  }

  private static io.fairlead.core.model.DomainObject randomObject(Random random) {
    var letter = String.valueOf((char) ('a' + random.nextInt(3)));
    var app = String.valueOf((char) ('a' + random.nextInt(3)));
    var pod =
        probed(named(pod(letter, app, "node-a", "10.244.0." + random.nextInt(3)), letter, app));
    var service =
        service(letter, "10." + (96 + random.nextInt(2)) + ".0." + (1 + random.nextInt(3)));
    return switch (random.nextInt(9)) {
      case 0 -> service;
      case 7 -> slice(letter, app, "192.0.2." + (1 + random.nextInt(3)));
      case 8 -> with(service, s -> s.selector(Map.of()));
      case 1 ->
          with(
              service,
              s ->
                  s.exposure(Exposure.HEADLESS)
                      .clusterIps()
                      .families(Family.IPV4)
                      .selector(random.nextBoolean() ? Map.of() : Map.of("app", letter)));
      case 2 -> external(letter, app + ".default.svc.cluster.local");
      case 3 -> random.nextBoolean() ? pod : terminating(pod);
      case 4 -> ready(pod);
      case 5 -> TestObjects.serviceCidr(letter, "10.97.0.0/" + (16 + random.nextInt(2)));
      default -> unready(pod);
    };
  }

  /** Names of what no Pod is behind: the spec's 2.4 knows endpoints, wherever they come from. */
  @Test
  void aHeadlessServiceAnswersWithWhatWasWrittenForIt() {
    var headless =
        with(
            service("ext", "10.96.0.9"),
            s ->
                s.exposure(Exposure.HEADLESS)
                    .clusterIps()
                    .families(Family.IPV4)
                    .selector(Map.of())
                    .ports(port("http", 80, new PortRef.Number(80))));
    var ready = TestObjects.endpoint("10.244.9.1");
    var named =
        new ManualSlice.Endpoint(
            Address.of("10.244.9.2"),
            true,
            true,
            false,
            Optional.of("node-2"),
            Optional.empty(),
            Optional.empty(),
            List.of(),
            List.of());
    var unready =
        new ManualSlice.Endpoint(
            Address.of("10.244.9.3"),
            false,
            true,
            false,
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            List.of(),
            List.of());
    var slice = slice("ext-1", "ext", "10.244.9.1");
    var written =
        new ManualSlice(
            slice.meta(),
            Family.IPV4,
            List.of(new ManualSlice.Port("http", Protocol.TCP, 8088, Optional.empty())),
            List.of(ready, named, unready));
    var zone = ZoneProjection.of(SETTINGS, image(headless, written), 1);
    var name = "ext.default.svc.cluster.local.";
    assertThat(text(zone.lookup(name, DnsType.A))).isEqualTo("FOUND A 10.244.9.1 A 10.244.9.2");
    assertThat(text(zone.lookup("node-2." + name, DnsType.A))).isEqualTo("FOUND A 10.244.9.2");
    assertThat(text(zone.lookup("_http._tcp." + name, DnsType.SRV)))
        .isEqualTo("FOUND SRV 8088 10-244-9-1." + name + " SRV 8088 node-2." + name);
    assertThat(text(zone.lookup("2.9.244.10.in-addr.arpa.", DnsType.PTR)))
        .isEqualTo("FOUND PTR node-2." + name);
    var selecting = with(headless, s -> s.selector(Map.of("app", "x")));
    assertThat(
            text(ZoneProjection.of(SETTINGS, image(selecting, written), 1).lookup(name, DnsType.A)))
        .as("with a selector it is the Pods that count")
        .doesNotContain("FOUND");
  }

  @Test
  void reverseNamesFollowTheRangesOfTheLog() {
    var base = image(TestObjects.serviceCidr("more", "10.200.0.0/20"));
    var reverse = "9.0.200.10.in-addr.arpa.";
    var before = ZoneProjection.of(SETTINGS, ClusterImage.EMPTY, 1);
    assertThat(before.lookup(reverse, DnsType.PTR)).isInstanceOf(Answer.NotServed.class);
    var zone = ZoneProjection.of(SETTINGS, base, 1);
    assertThat(zone.lookup(reverse, DnsType.PTR))
        .as("of nobody yet")
        .isInstanceOfSatisfying(
            Answer.Served.class,
            served -> assertThat(served.outcome()).isEqualTo(Answer.Outcome.NAME_ERROR));
    assertThat(zone.lookup("9.16.200.10.in-addr.arpa.", DnsType.PTR))
        .as("behind the /20")
        .isInstanceOf(Answer.NotServed.class);
    var web = TestObjects.delta(base, service("web", "10.200.0.9"));
    assertThat(text(ZoneProjection.update(zone, web, web.apply(), 2).lookup(reverse, DnsType.PTR)))
        .isEqualTo("FOUND PTR web.default.svc.cluster.local.");
    var late =
        TestObjects.delta(
            image(service("web", "10.200.0.9")), TestObjects.serviceCidr("more", "10.200.0.0/20"));
    assertThat(
            ZoneProjection.update(
                ZoneProjection.of(SETTINGS, late.base(), 1), late, late.apply(), 2))
        .isEqualTo(ZoneProjection.of(SETTINGS, late.apply(), 2));
  }
}
