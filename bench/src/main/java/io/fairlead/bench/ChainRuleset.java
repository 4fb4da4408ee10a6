package io.fairlead.bench;

import io.fairlead.core.view.NodeRules.Target;
import io.fairlead.devkit.fabric.Fabric;
import io.fairlead.devkit.fabric.FabricNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A ruleset with a chain for each Service and one for each endpoint, and a verdict map that leads
 * to them: the shape that kube-proxy's nftables mode has had. For comparison only; loaded by
 * starting {@code nft}, as there. One table, {@code ip chains}, in a node's namespace.
 */
final class ChainRuleset {
  /** Services of one call of {@code nft}. */
  private static final int PORTION = 500;

  private static final String FIXED =
      """
      table ip chains {
        set cluster-ips { type ipv4_addr; }
        map service-ips { type ipv4_addr . inet_proto . inet_service : verdict; }
        chain mark-for-masquerade { meta mark set meta mark or 0x4000; }
        chain masquerading {
          meta mark and 0x4000 == 0 return
          meta mark set meta mark xor 0x4000
          masquerade fully-random
        }
        chain services { ip daddr . meta l4proto . th dport vmap @service-ips; }
        chain undefined { ip daddr @cluster-ips reject; }
        chain prerouting { type nat hook prerouting priority -100; jump services; }
        chain output { type nat hook output priority -100; jump services; }
        chain postrouting { type nat hook postrouting priority 100; jump masquerading; }
        chain forward { type filter hook forward priority 0; ct state new jump undefined; }
        chain local { type filter hook output priority 0; ct state new jump undefined; }
      }
      """;

  private final FabricNode node;
  private final Path file;
  private int generation;

  /** An empty table, in place of one that is there. */
  ChainRuleset(FabricNode node, Path directory) throws IOException, InterruptedException {
    this.node = node;
    this.file = directory.resolve("chains.nft");
    run("add table ip chains\ndelete table ip chains\n" + FIXED);
  }

  /** Services {@code from} to {@code to - 1} of {@link MadeUpRules}. */
  void load(int from, int to, int endpoints, Bench.Progress progress)
      throws IOException, InterruptedException {
    for (int first = from; first < to; first += PORTION) {
      int end = Math.min(to, first + PORTION);
      var text = new StringBuilder();
      for (int service = first; service < end; service++) {
        service(service, MadeUpRules.targets(service * endpoints, endpoints), text);
      }
      run(text.toString());
      if (end % (4 * PORTION) == 0) {
        progress.say("chain for each Service and endpoint: %d of %d Services".formatted(end, to));
      }
    }
  }

  /** One Service. */
  void add(int service, List<Target> targets) throws IOException, InterruptedException {
    var text = new StringBuilder();
    service(service, targets, text);
    run(text.toString());
  }

  private static void service(int service, List<Target> targets, StringBuilder text) {
    var chains = new ArrayList<String>();
    for (int i = 0; i < targets.size(); i++) {
      chains.add("endpoint-%d-%d".formatted(service, i));
      endpoint(chains.getLast(), targets.get(i), text);
    }
    text.append("add chain ip chains service-").append(service).append('\n');
    choice(service, chains, text);
    var vip = MadeUpRules.frontend(service).vip();
    text.append("add element ip chains cluster-ips { ").append(vip).append(" }\n");
    text.append("add element ip chains service-ips { ")
        .append(vip)
        .append(" . tcp . 80 : goto service-")
        .append(service)
        .append(" }\n");
  }

  private static void endpoint(String chain, Target target, StringBuilder text) {
    text.append("add chain ip chains ").append(chain).append('\n');
    text.append(
        "add rule ip chains %s ip saddr %s jump mark-for-masquerade\n"
            .formatted(chain, target.address()));
    text.append(
        "add rule ip chains %s meta l4proto tcp dnat to %s:%d\n"
            .formatted(chain, target.address(), target.port()));
  }

  private static void choice(int service, List<String> chains, StringBuilder text) {
    text.append(
        "add rule ip chains service-%d ip daddr %s tcp dport 80 ip saddr != 10.128.0.0/9 jump mark-for-masquerade\n"
            .formatted(service, MadeUpRules.frontend(service).vip()));
    text.append(
        "add rule ip chains service-%d numgen random mod %d vmap { "
            .formatted(service, chains.size()));
    for (int i = 0; i < chains.size(); i++) {
      text.append(i == 0 ? "" : ", ").append(i).append(" : goto ").append(chains.get(i));
    }
    text.append(" }\n");
  }

  /** Replaces the last endpoint of a Service by another one; how long it took. */
  Duration replaceLast(int service, int endpoints, Target by)
      throws IOException, InterruptedException {
    int old = generation++;
    var gone =
        old == 0
            ? "endpoint-%d-%d".formatted(service, endpoints - 1)
            : "endpoint-%d-x%d".formatted(service, old);
    var comes = "endpoint-%d-x%d".formatted(service, generation);
    var text = new StringBuilder();
    endpoint(comes, by, text);
    text.append("flush chain ip chains service-").append(service).append('\n');
    var chains = new ArrayList<String>();
    for (int i = 0; i < endpoints - 1; i++) {
      chains.add("endpoint-%d-%d".formatted(service, i));
    }
    chains.add(comes);
    choice(service, chains, text);
    text.append("flush chain ip chains ").append(gone).append('\n');
    text.append("delete chain ip chains ").append(gone).append('\n');
    Files.writeString(file, text);
    long from = System.nanoTime();
    nft();
    return Duration.ofNanos(System.nanoTime() - from);
  }

  private void run(String text) throws IOException, InterruptedException {
    Files.writeString(file, text);
    nft();
  }

  private void nft() throws IOException, InterruptedException {
    var words = new ArrayList<>(Fabric.prefix(node.namespace()));
    words.addAll(List.of("nft", "-f", file.toString()));
    var process = new ProcessBuilder(words).redirectErrorStream(true).start();
    var printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IllegalStateException(
          "nft did not take the chains: " + printed.substring(0, Math.min(400, printed.length())));
    }
  }
}
