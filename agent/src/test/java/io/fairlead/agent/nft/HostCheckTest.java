package io.fairlead.agent.nft;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.agent.nft.HostCheck.Finding;
import io.fairlead.agent.nft.HostCheck.Level;
import io.fairlead.agent.nft.HostCheck.Ranges;
import io.fairlead.core.model.Cidr;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Hosts as their files show them. */
@Timeout(60)
class HostCheckTest {
  private static final Ranges V4 =
      new Ranges(Set.of(Cidr.of("10.96.0.0/16")), Set.of(Cidr.of("10.244.0.0/16")));
  private static final String HEADS =
      "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n";
  private static final String DEFAULT =
      "eth0\t00000000\t014DA8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n";

  @TempDir Path root;

  /** A host with nothing to complain about. */
  @BeforeEach
  void good() throws IOException {
    set("kernel/osrelease", "6.1.0-13-amd64");
    set("net/ipv4/ip_forward", "1");
    set("net/ipv6/conf/all/forwarding", "0");
    set("net/netfilter/nf_conntrack_max", "262144");
    set("net/netfilter/nf_conntrack_count", "12");
    set("net/netfilter/nf_conntrack_tcp_be_liberal", "0");
    set("net/netfilter/nf_conntrack_tcp_loose", "1");
    write(root.resolve("net/route"), HEADS + DEFAULT);
  }

  private void set(String setting, String value) throws IOException {
    write(root.resolve("sys").resolve(setting), value + "\n");
  }

  private static void write(Path file, String text) throws IOException {
    Files.createDirectories(requireNonNull(file.getParent()));
    Files.writeString(file, text);
  }

  private List<Finding> bad(Ranges ranges) {
    return new HostCheck(
            root.resolve("sys"), root.resolve("net"), Optional.of(root.resolve("devices")))
        .look(ranges).stream().filter(finding -> finding.level() != Level.OK).toList();
  }

  private Finding only(Ranges ranges) {
    var bad = bad(ranges);
    assertThat(bad).hasSize(1);
    return bad.getFirst();
  }

  @Test
  void aGoodHostHasNothingToComplainAbout() {
    assertThat(bad(V4)).isEmpty();
    assertThat(bad(new Ranges(Set.of(), Set.of()))).isEmpty();
  }

  @Test
  void forwardingThatIsOffIsAnErrorInTheFamilyThatIsUsed() throws IOException {
    set("net/ipv4/ip_forward", "0");
    var finding = only(V4);
    assertThat(finding.level()).isEqualTo(Level.ERROR);
    assertThat(finding.what()).isEqualTo("net.ipv4.ip_forward");
    assertThat(finding.remedy().orElseThrow()).startsWith("sysctl -w net.ipv4.ip_forward=1");
    var v6 = new Ranges(Set.of(), Set.of(Cidr.of("fd00:244::/48")));
    assertThat(only(v6).what()).isEqualTo("net.ipv6.conf.all.forwarding");
  }

  @Test
  void bridgesNeedBrNetfilter() throws IOException {
    Files.createDirectories(root.resolve("devices/docker0/bridge"));
    Files.createDirectories(root.resolve("devices/eth0"));
    var missing = only(V4);
    assertThat(missing.level()).isEqualTo(Level.WARNING);
    assertThat(missing.words()).contains("(docker0)");
    assertThat(missing.remedy().orElseThrow()).startsWith("modprobe br_netfilter");
    set("net/bridge/bridge-nf-call-iptables", "0");
    assertThat(only(V4).what()).isEqualTo("net.bridge.bridge-nf-call-iptables");
    set("net/bridge/bridge-nf-call-iptables", "1");
    assertThat(bad(V4)).isEmpty();
  }

  @Test
  void conntrackThatIsSmallOrNearlyFullIsNamed() throws IOException {
    set("net/netfilter/nf_conntrack_max", "65536");
    assertThat(only(V4).level()).isEqualTo(Level.WARNING);
    set("net/netfilter/nf_conntrack_count", "60000");
    assertThat(only(V4).level()).isEqualTo(Level.ERROR);
    assertThat(only(V4).remedy().orElseThrow())
        .startsWith("sysctl -w net.netfilter.nf_conntrack_max=131072");
    set("net/netfilter/nf_conntrack_max", "0");
    assertThat(bad(V4)).as("no limit").isEmpty();
    Files.delete(root.resolve("sys/net/netfilter/nf_conntrack_max"));
    assertThat(bad(V4)).as("not loaded yet").isEmpty();
  }

  @Test
  void settingsOfConntrackThatLoseConnectionsAreNamed() throws IOException {
    set("net/netfilter/nf_conntrack_tcp_loose", "0");
    assertThat(only(V4).what()).isEqualTo("net.netfilter.nf_conntrack_tcp_loose");
    set("net/netfilter/nf_conntrack_tcp_loose", "1");
    set("kernel/osrelease", "5.15.0-91-generic");
    assertThat(only(V4).what()).isEqualTo("net.netfilter.nf_conntrack_tcp_be_liberal");
    set("net/netfilter/nf_conntrack_tcp_be_liberal", "1");
    assertThat(bad(V4)).isEmpty();
  }

  @Test
  void anOldKernelIsAnError() throws IOException {
    set("kernel/osrelease", "5.10.0-8-amd64");
    set("net/netfilter/nf_conntrack_tcp_be_liberal", "1");
    assertThat(only(V4).level()).isEqualTo(Level.ERROR);
    assertThat(only(V4).words()).contains("5.13 or newer");
  }

  @Test
  void routesThatAreMissingAreNamed() throws IOException {
    write(
        root.resolve("net/route"),
        HEADS
            + "lo\t0000600A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
            + "eth0\t0002F40A\t014DA8C0\t0003\t0\t0\t0\t00FFFFFF\t0\t0\t0\n");
    assertThat(bad(V4))
        .as("a route to lo is none, one to a part of the Pods is one")
        .extracting(Finding::what)
        .containsExactly("route for 10.96.0.0/16");
    write(root.resolve("net/route"), HEADS);
    assertThat(bad(V4))
        .extracting(Finding::what)
        .containsExactly("route for 10.96.0.0/16", "route for 10.244.0.0/16");
  }
}
