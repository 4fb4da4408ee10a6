package io.fairlead.core.decide;

import static io.fairlead.core.decide.TestService.service;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.decide.ServiceDraft.PortDraft;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.PortRef;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.ServiceSpec.Balancing;
import io.fairlead.core.model.ServiceSpec.IpFamilyPolicy;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.run.RandomSource;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class ServicesDeciderTest {
  private final DecidedServices services = DecidedServices.in("10.96.0.0/16");
  private final DecidedServices dual = DecidedServices.in("10.96.0.0/16", "fd00:10:96::/112");

  @Test
  void namesAllFaultsOfADraftAtOnceAndWritesNothing() {
    var draft = service("Bad_Name").clusterIp("10.97.0.1").port("", "tcp", 0).affinity("Sticky");
    assertThat(services.faults(draft.create()))
        .containsExactly(
            "metadata.name Invalid",
            "spec.clusterIPs Invalid",
            "spec.ports[0].port Invalid",
            "spec.ports[0].protocol NotSupported",
            "spec.sessionAffinity NotSupported");
    assertThat(services.last.changes()).isEmpty();
    assertThat(services.last.claims()).isEmpty();
  }

  @Test
  void namesTheHolderAmongOtherFaults() {
    services.stored(service("dns").clusterIp("10.96.0.10").create());
    var refusal =
        services.refused(service("a").clusterIp("10.96.0.10").port("", "tcp", 80).create());
    assertThat(refusal)
        .isInstanceOfSatisfying(
            Refusal.Invalid.class,
            invalid ->
                assertThat(invalid.violations())
                    .anySatisfy(v -> {
                      assertThat(v.field()).isEqualTo("spec.clusterIPs");
                      assertThat(v.message()).contains("10.96.0.10").contains("shop/dns");
                    }));
  }

  @Test
  void refusesWhatSomebodyElseClaimedWithoutBeingInTheImage() {
    var dns = new ObjectName("kube-system", "kube-dns");
    services.taken.put(Address.of("10.96.0.10"), dns);
    assertThat(services.refused(service("a").clusterIp("10.96.0.10").create()))
        .isEqualTo(
            new Refusal.AddressTaken(service("a").draft().key(), Address.of("10.96.0.10"), dns));
  }

  @Test
  void refusesAnAddressThatIsStillClaimedForAnEarlierServiceOfTheSameName() {
    services.taken.put(Address.of("10.96.0.10"), new ObjectName("shop", "a"));
    assertThat(services.refused(service("a").clusterIp("10.96.0.10").create()))
        .isInstanceOf(Refusal.AddressTaken.class);
  }

  @Test
  void picksAnotherAddressWhereAClaimWasLost() {
    var small = DecidedServices.in("10.96.0.0/29"); // .1 is the control plane's
    var context =
        new ServicesContext(
            small.now,
            small.random,
            Set.of(
                Address.of("10.96.0.2"),
                Address.of("10.96.0.3"),
                Address.of("10.96.0.4"),
                Address.of("10.96.0.6")),
            Map.of(),
            small.freshlyFreed,
            small.settings);
    var decision = ServicesDecider.decide(small.image, service("a").create(), context);
    assertThat(decision.claims())
        .extracting(c -> c.address().toString())
        .containsExactly("10.96.0.5");
  }

  @Test
  void keepsTheFirstAddressForTheControlPlane() {
    var small = DecidedServices.in("10.96.0.0/29");
    for (int i = 0; i < 5; i++) {
      assertThat(small.ip(service("s" + i).create())).isNotEqualTo("10.96.0.1");
    }
    assertThat(small.refused(service("a").clusterIp("10.96.0.1").create()))
        .isInstanceOfSatisfying(
            Refusal.AddressTaken.class,
            taken -> assertThat(taken.holder()).isEqualTo(ServicesDecider.CONTROL_PLANE));
    assertThat(small.ip(service("fairlead").namespace("default").clusterIp("10.96.0.1").create()))
        .isEqualTo("10.96.0.1");
    assertThat(small.decide(new ServiceCommand.Delete(ServicesDecider.CONTROL_PLANE, "", "")))
        .isInstanceOfSatisfying(
            ServiceOutcome.Refused.class,
            refused -> assertThat(refused.refusal()).isInstanceOf(Refusal.NotYours.class));
  }

  @Test
  void claimsWhatItGivesOutAndFreesWhatItTakesBack() {
    var created = services.stored(service("a").create());
    assertThat(services.last.claims())
        .containsExactly(
            new Decision.Claim(
                created.spec().clusterIps().getFirst(), created.uid(), created.name()));
    assertThat(services.last.frees()).isEmpty();
    assertThat(services.delete("a")).isInstanceOf(ServiceOutcome.Deleted.class);
    assertThat(services.last.claims()).isEmpty();
    assertThat(services.last.frees())
        .containsExactly(
            new Decision.Claim(
                created.spec().clusterIps().getFirst(), created.uid(), created.name()));
  }

  @Test
  void writesNothingWhereNothingDiffers() {
    var first = service("a").clusterIp("10.96.0.7").annotation("owner", "me");
    services.stored(first.create());
    assertThat(services.decide(first.apply()))
        .isInstanceOfSatisfying(
            ServiceOutcome.Stored.class,
            stored -> {
              assertThat(stored.result()).isEqualTo(Result.UNCHANGED);
              assertThat(stored.resourceVersion()).isEqualTo(OptionalLong.of(11));
            });
    assertThat(services.last.changes()).isEmpty();
    assertThat(services.decide(service("a").annotation("owner", "you").apply()))
        .isInstanceOfSatisfying(
            ServiceOutcome.Stored.class,
            stored -> {
              assertThat(stored.result()).isEqualTo(Result.CONFIGURED);
              assertThat(stored.service().spec().clusterIps())
                  .containsExactly(Address.of("10.96.0.7"));
            });
    assertThat(services.last.claims()).isEmpty();
    assertThat(services.last.frees()).isEmpty();
  }

  @Test
  void refusesANameThatExistsOnCreateOnly() {
    services.stored(service("a").create());
    assertThat(services.refused(service("a").create()))
        .isEqualTo(new Refusal.NameTaken(service("a").draft().key()));
  }

  @Test
  void appliesAndDeletesOnlyTheExpectedVersionAndUid() {
    var created = services.stored(service("a").create());
    assertThat(services.refused(service("a").resourceVersion("9").apply()))
        .isInstanceOf(Refusal.Stale.class);
    assertThat(services.refused(service("a").uid("00000000-0000-0000-0000-000000000001").apply()))
        .isInstanceOf(Refusal.Stale.class);
    assertThat(services.refused(new ServiceCommand.Delete(created.name(), "", "9")))
        .isInstanceOf(Refusal.Stale.class);
    assertThat(services.refused(new ServiceCommand.Delete(created.name(), "other", "")))
        .isInstanceOf(Refusal.Stale.class);
    assertThat(services.refused(service("absent").resourceVersion("9").apply()))
        .isInstanceOf(Refusal.Stale.class);
    services.stored(
        service("a")
            .resourceVersion("11")
            .uid(created.uid().toString())
            .labels(Map.of("x", "y"))
            .apply());
    assertThat(
            services.decide(
                new ServiceCommand.Delete(created.name(), created.uid().toString(), "12")))
        .isEqualTo(new ServiceOutcome.Deleted(created.name(), created.uid(), OptionalLong.of(13)));
    assertThat(services.refused(new ServiceCommand.Delete(created.name(), "", "")))
        .isInstanceOf(Refusal.NotFound.class);
  }

  @Test
  void updatesWhatIsThereAsAWhole() {
    var created =
        services.stored(
            service("a")
                .labels(Map.of("x", "y"))
                .affinitySeconds(60)
                .clusterIp("10.96.0.7")
                .create());
    var updated = services.stored(service("a").port("", "UDP", 53).update());
    assertThat(updated.uid()).isEqualTo(created.uid());
    assertThat(updated.meta().labels()).isEmpty();
    assertThat(updated.spec().clientIpAffinity()).isEmpty();
    assertThat(updated.spec().ports()).hasSize(1);
    assertThat(updated.spec().clusterIps()).containsExactly(Address.of("10.96.0.7"));
    assertThat(services.decide(service("a").port("", "UDP", 53).update()))
        .isInstanceOfSatisfying(
            ServiceOutcome.Stored.class,
            stored -> assertThat(stored.result()).isEqualTo(Result.UNCHANGED));
    assertThat(services.last.changes()).isEmpty();
  }

  @Test
  void updatesNothingThatDoesNotExistWhateverElseIsWrong() {
    assertThat(services.refused(service("a").port("", "tcp", 0).update()))
        .isEqualTo(new Refusal.NotFound(service("a").draft().key()));
    assertThat(services.faults(service("").update())).containsExactly("metadata.name Required");
  }

  @Test
  void aDryRunOfADeletionAnswersAsADeletionAndFreesNothing() {
    var created = services.stored(service("a").create());
    var image = services.image;
    var tried = new ServiceCommand.Delete(created.name(), "", "", DryRun.YES);
    assertThat(services.decide(tried))
        .isEqualTo(new ServiceOutcome.Deleted(created.name(), created.uid(), OptionalLong.empty()));
    assertThat(services.last.frees()).isEmpty();
    assertThat(services.image).isEqualTo(image);
    assertThat(services.refused(new ServiceCommand.Delete(created.name(), "", "9", DryRun.YES)))
        .isInstanceOf(Refusal.Stale.class);
    assertThat(services.decide(new ServiceCommand.DeleteCidr("default", "", "", DryRun.YES)))
        .isInstanceOf(ServiceOutcome.CidrTerminating.class);
    assertThat(services.image).isEqualTo(image);
    services.stored(service("b").namespace("lab").create());
    assertThat(services.refused(new ServiceCommand.DeleteNamespace("lab", "", "", DryRun.YES)))
        .isInstanceOf(Refusal.NotEmpty.class);
  }

  @Test
  void takesAThousandPortsAndNoMore() {
    var most = service("a");
    var more = service("b");
    for (int port = 1; port <= 1_001; port++) {
      if (port <= 1_000) {
        most.port("p" + port, "", port);
      }
      more.port("p" + port, "", port);
    }
    assertThat(services.stored(most.create()).spec().ports()).hasSize(1_000);
    assertThat(services.faults(more.create())).containsExactly("spec.ports Invalid");
    assertThat(services.last.claims()).isEmpty();
  }

  @Test
  void takesAnnotationsOf256KiBAndNoMore() {
    var key = "example.com/a";
    services.stored(service("a").annotation(key, "x".repeat(256 * 1024 - key.length())).create());
    assertThat(
            services.faults(
                service("b").annotation(key, "ä".repeat(128 * 1024 - key.length() / 2)).create()))
        .containsExactly("metadata.annotations TooLong");
    assertThat(services.faults(service("b").labels(Map.of("x", "y".repeat(64))).create()))
        .containsExactly("metadata.labels Invalid");
  }

  @Test
  void generatesAnotherNameWhereTheFirstIsTaken() {
    var first = generated(services.image);
    services.stored(service(first).create());
    assertThat(generated(services.image)).isNotEqualTo(first).startsWith("web-");
  }

  /** By the same random choices each time. */
  private String generated(ClusterImage image) {
    var context =
        new ServicesContext(
            services.now,
            RandomSource.seeded(3),
            Set.of(),
            Map.of(),
            services.freshlyFreed,
            services.settings);
    var decision =
        ServicesDecider.decide(image, service("").generateName("web-").create(), context);
    return ((ServiceOutcome.Stored) decision.reply()).service().name().name();
  }

  @Test
  void anObjectOfTheSameBatchMatchesNoVersion() {
    services.stored(service("a").create());
    var working =
        services.image.with(
            ServicesDecider.decide(
                    services.image, service("a").labels(Map.of("x", "y")).apply(), context())
                .changes());
    assertThat(
            ServicesDecider.decide(working, service("a").resourceVersion("11").apply(), context())
                .reply())
        .isInstanceOf(ServiceOutcome.Refused.class);
  }

  private ServicesContext context() {
    return new ServicesContext(
        services.now,
        services.random,
        Set.of(),
        Map.of(),
        services.freshlyFreed,
        services.settings);
  }

  @Test
  void twoOfOneBatchNeverGetOneAddress() {
    var working =
        services.image.with(
            ServicesDecider.decide(
                    services.image, service("a").clusterIp("10.96.0.9").create(), context())
                .changes());
    assertThat(
            ServicesDecider.decide(working, service("b").clusterIp("10.96.0.9").create(), context())
                .reply())
        .isInstanceOf(ServiceOutcome.Refused.class);
  }

  @Test
  void generatesANameThatIsFree() {
    var name = services.stored(service("").generateName("web-").create()).name().name();
    assertThat(name).matches("web-[a-z0-9]{5}");
    assertThat(services.stored(service("").generateName("w".repeat(70)).create()).name().name())
        .hasSize(63);
    assertThat(services.faults(service("").generateName("Web-").create()))
        .containsExactly("metadata.generateName Invalid");
    assertThat(services.faults(service("").create())).containsExactly("metadata.name Required");
    assertThat(services.faults(service("").generateName("web-").apply()))
        .containsExactly("metadata.name Required");
  }

  @Test
  void defaultsAreThoseOfKubernetes() {
    var spec = services.stored(service("a").affinity("ClientIP").create()).spec();
    assertThat(spec.ports())
        .singleElement()
        .satisfies(port -> {
          assertThat(port.targetPort()).isEqualTo(new PortRef.Number(80));
          assertThat(port.protocol().name()).isEqualTo("TCP");
        });
    assertThat(spec.clientIpAffinity()).contains(ServiceRules.DEFAULT_AFFINITY);
    assertThat(spec.ipFamilyPolicy()).isEqualTo(IpFamilyPolicy.SINGLE_STACK);
    assertThat(spec.internalTrafficPolicy().text()).isEqualTo("Cluster");
    assertThat(
            services
                .stored(service("b").targetPort("http").create())
                .spec()
                .ports()
                .getFirst()
                .targetPort())
        .isEqualTo(new PortRef.Name("http"));
    assertThat(
            services
                .stored(service("c").trafficDistribution("PreferClose").create())
                .spec()
                .trafficDistribution())
        .get()
        .extracting(d -> d.text())
        .isEqualTo("PreferSameZone");
  }

  @Test
  void beyondTheLimitNewServicesAreBalancedAtRandomAndOldOnesStayAsTheyAre() {
    services.settings = new ServiceSettings(Balancing.ROUND_ROBIN, 2);
    assertThat(balancing(service("a").create())).isEqualTo(Balancing.ROUND_ROBIN);
    assertThat(balancing(service("b").port("x", "", 1).port("y", "", 2).create()))
        .isEqualTo(Balancing.RANDOM);
    assertThat(balancing(service("c").create())).isEqualTo(Balancing.ROUND_ROBIN);
    assertThat(balancing(service("d").port("x", "", 1).port("y", "", 2).create()))
        .isEqualTo(Balancing.RANDOM);
    assertThat(services.last.changes()).hasSize(1);
    services.delete("a");
    assertThat(balancing(service("d").labels(Map.of("x", "y")).apply()))
        .isEqualTo(Balancing.RANDOM);
    assertThat(balancing(service("d").annotation(Balancing.ANNOTATION, "round-robin").apply()))
        .isEqualTo(Balancing.ROUND_ROBIN);
    assertThat(
            services.faults(
                service("b")
                    .annotation(Balancing.ANNOTATION, "round-robin")
                    .port("x", "", 1)
                    .apply()))
        .containsExactly("metadata.annotations[fairlead.io/load-balancing] Forbidden");
    assertThat(services.faults(service("e").annotation(Balancing.ANNOTATION, "fastest").create()))
        .containsExactly("metadata.annotations[fairlead.io/load-balancing] NotSupported");
  }

  @Test
  void whetherConnectionsAreResetIsTrueOrFalse() {
    assertThat(services.faults(service("a").annotation(Service.RESET_CONNECTIONS, "yes").create()))
        .containsExactly("metadata.annotations[fairlead.io/reset-connections] NotSupported");
    for (var value : List.of("true", "false")) {
      assertThat(
              balancing(
                  service("a-" + value).annotation(Service.RESET_CONNECTIONS, value).create()))
          .as("created with " + value)
          .isEqualTo(Balancing.ROUND_ROBIN);
    }
  }

  /** Kubernetes takes it; no DNS message can hold it. */
  @Test
  void refusesAnExternalNameThatDnsCannotAnswer() {
    var longest = "x".repeat(63) + ".example.com";
    assertThat(services.stored(service("a").externalName(longest).create()).spec().externalName())
        .contains(longest);
    assertThat(services.faults(service("b").externalName("x" + longest).create()))
        .containsExactly("spec.externalName TooLong");
  }

  private Balancing balancing(ServiceCommand command) {
    return services.stored(command).spec().balancing();
  }

  @Test
  void followsAPolicyOnlyOnRequest() {
    var first = dual.stored(service("a").create()).spec().clusterIps().getFirst();
    var both = dual.stored(service("a").policy("PreferDualStack").apply()).spec();
    assertThat(both.clusterIps()).hasSize(2).startsWith(first);
    assertThat(both.ipFamilies()).containsExactly(Family.IPV4, Family.IPV6);
    assertThat(dual.stored(service("a").apply()).spec()).isEqualTo(both); // says nothing: stays
    var single = dual.stored(service("a").policy("SingleStack").apply()).spec();
    assertThat(single.clusterIps()).containsExactly(first);
    assertThat(dual.last.frees())
        .extracting(Decision.Claim::address)
        .containsExactly(both.clusterIps().get(1));
    services.stored(service("p").policy("PreferDualStack").create());
    services.range("six", "fd00::/112");
    assertThat(
            services
                .stored(service("p").policy("PreferDualStack").labels(Map.of("x", "y")).apply())
                .spec()
                .clusterIps())
        .hasSize(1);
  }

  @Test
  void refusesFamiliesThatNoRangeHas() {
    assertThat(services.faults(service("a").policy("RequireDualStack").create()))
        .containsExactly("spec.ipFamilyPolicy Invalid");
    assertThat(services.faults(service("a").families("IPv6").create()))
        .containsExactly("spec.ipFamilies[0] Invalid");
    assertThat(services.faults(service("a").clusterIp("fd00::5").create()))
        .containsExactly("spec.clusterIPs[0] Invalid");
    assertThat(services.faults(service("a").families("ipv4").create()))
        .containsExactly("spec.ipFamilies[0] NotSupported");
    assertThat(services.faults(service("a").policy("Dual").create()))
        .containsExactly("spec.ipFamilyPolicy NotSupported");
  }

  @Test
  void givesNothingOutFromATerminatingRange() {
    services.terminatingRange("old", "10.98.0.0/24");
    assertThat(services.faults(service("a").clusterIp("10.98.0.9").create()))
        .containsExactly("spec.clusterIPs Invalid");
  }

  @Test
  void refusesTypesAndFieldsThatItDoesNotHave() {
    assertThat(services.faults(service("a").type("LoadBalancer").create()))
        .containsExactly("spec.type NotSupported");
    assertThat(services.faults(service("a").type("clusterip").create()))
        .containsExactly("spec.type NotSupported");
    assertThat(services.faults(service("a").clusterIps("None", "10.96.0.5").create()))
        .containsExactly("spec.clusterIPs Invalid");
    assertThat(services.faults(service("a").internalTrafficPolicy("local").create()))
        .containsExactly("spec.internalTrafficPolicy NotSupported");
    assertThat(
            services.faults(service("a").port(new PortDraft("", "", 80, "70000", "", 0)).create()))
        .containsExactly("spec.ports[0].targetPort Invalid");
    assertThat(services.faults(service("a").resourceVersion("7").create()))
        .containsExactly("metadata.resourceVersion Forbidden");
    assertThat(services.faults(service("a").resourceVersion("latest").apply()))
        .containsExactly("metadata.resourceVersion Invalid");
    assertThat(services.faults(service("a").namespace("No_Such").create()))
        .containsExactly("metadata.namespace Invalid");
    assertThat(services.faults(service("a").labels(Map.of("a/b/c", "x")).create()))
        .containsExactly("metadata.labels Invalid");
    assertThat(services.faults(service("a").annotation("note", "x".repeat(300_000)).create()))
        .containsExactly("metadata.annotations TooLong");
  }

  @Test
  void remembersWhatARecordAnswered() {
    services.stored(service("a").create());
    var created = services.log.getLast();
    services.stored(service("a").labels(Map.of("x", "y")).apply());
    assertThat(
            List.of(
                ServicesDecider.recall(created), ServicesDecider.recall(services.log.getLast())))
        .extracting(outcome -> ((ServiceOutcome.Stored) outcome).result())
        .containsExactly(Result.CREATED, Result.CONFIGURED);
    var deleted = services.delete("a");
    LogEntry entry = services.log.getLast();
    assertThat(ServicesDecider.recall(entry)).isEqualTo(deleted);
  }
}
