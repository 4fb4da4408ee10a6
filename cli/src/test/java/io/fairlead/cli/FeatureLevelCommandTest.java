package io.fairlead.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class FeatureLevelCommandTest {
  private final LocalControlPlane plane = new LocalControlPlane("replica-1");
  private final CliFixture cli = new CliFixture(plane.address());

  @AfterEach
  void close() {
    plane.close();
  }

  @Test
  void showsTheLevelOfTheLogAndWhatEachReplicaSupports() {
    assertThat(cli.run("feature-level"))
        .isEqualTo(
            new CliFixture.Ran(
                0,
                """
                The log has feature level 1
                SERVICE     REPLICA     SUPPORTS
                allocator   replica-1   3
                dns         dns-1       <unknown>
                """,
                "Some may be missing: dns-1 is silent\n"));
  }

  @Test
  void raisesTheLevelOnceAndNeverLowersIt() {
    plane.dnsSupports(1);
    var refused = cli.run("feature-level", "raise", "2");
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.err())
        .isEqualTo(
            "Error from server (FailedPrecondition): feature level 2 is not supported by all replicas: dns/dns-1 supports up to 1\n");
    plane.dnsSupports(2);
    var raised = cli.run("feature-level", "raise", "2");
    assertThat(raised.out()).as(raised.err()).isEqualTo("The log has feature level 2 now\n");
    assertThat(cli.run("feature-level", "raise", "2").out())
        .isEqualTo("The log has feature level 2 already\n");
    assertThat(cli.run("log", "tail", "-n", "1", "--no-headers").out())
        .endsWith("stored   FeatureLevel//log   test   2\n");
    assertThat(cli.run("feature-level", "raise", "1"))
        .satisfies(ran -> assertThat(ran.code()).isEqualTo(1))
        .satisfies(ran ->
            assertThat(ran.err()).contains("the log has feature level 2, which is never lowered"));
    assertThat(cli.run("feature-level", "raise", "high").code()).isEqualTo(2);
  }
}
