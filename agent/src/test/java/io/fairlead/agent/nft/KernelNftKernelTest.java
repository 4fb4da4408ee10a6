package io.fairlead.agent.nft;

import static io.fairlead.agent.Waiting.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.agent.nft.NetlinkNft.Committed;
import io.fairlead.agent.ruleset.Command;
import io.fairlead.agent.ruleset.Command.AddChain;
import io.fairlead.agent.ruleset.Command.AddElement;
import io.fairlead.agent.ruleset.Command.ElementKey;
import io.fairlead.agent.ruleset.CommandText;
import io.fairlead.agent.ruleset.Elements;
import io.fairlead.agent.ruleset.Layout;
import io.fairlead.agent.ruleset.Program;
import io.fairlead.agent.ruleset.Program.Choice;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.Protocol;
import io.fairlead.devkit.posix.Libc;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The kernel in a namespace of its own. */
@Tag("kernel")
@Timeout(60)
class KernelNftKernelTest extends NftGatewayContract {
  private static final String NAMESPACE = "nft-" + ProcessHandle.current().pid() + "-lib";

  private Worker worker;
  private NftGateway nft;

  @BeforeEach
  void open() throws IOException, InterruptedException {
    Assumptions.assumeTrue(
        Libc.effectiveUserId() == 0, "network namespaces and nftables need root");
    Lab.run("ip", "netns", "add", NAMESPACE);
    worker = Worker.start(NAMESPACE, "the test's thread");
    var foreign = new Foreign();
    var lib =
        worker.call(() -> {
          Worker.enter(foreign, Path.of("/run/netns", NAMESPACE));
          return KernelNft.open(foreign);
        });
    nft = new OnWorker(worker, lib);
  }

  @AfterEach
  void close() throws IOException, InterruptedException {
    if (worker == null) {
      return; // skipped, or there is no namespace
    }
    try {
      if (nft != null) {
        nft.close();
      }
    } finally {
      worker.close();
      Lab.run("ip", "netns", "delete", NAMESPACE);
    }
  }

  @Override
  NftGateway nft() {
    return nft;
  }

  /** Neither a copy of what is refused nor more refusals than a socket holds spoil what follows. */
  @Test
  void whatIsRefusedLeavesTheNextTransactionItsAnswer() {
    var layout = Layout.of(Family.IPV4);
    var messages = worker.call(() -> NetlinkNft.open(new Foreign()));
    try {
      assertThat(worker.call(() -> messages.commit(layout, endpoints(5_000))))
          .as("there is no table")
          .isEqualTo(Committed.REFUSED);
      var chains = new ArrayList<Command>();
      for (int i = 0; i < 60_000; i++) { // of which each is refused by itself
        chains.add(new AddChain("chain_" + i, Optional.empty()));
      }
      assertThat(worker.call(() -> messages.commit(layout, chains))).isEqualTo(Committed.REFUSED);
      nft.commit(layout, layout.create());
      assertThat(worker.call(() -> messages.commit(layout, endpoints(1))))
          .isEqualTo(Committed.DONE);
      assertThat(nft.read(layout).orElseThrow().elements(Elements.endpoints(Protocol.TCP)))
          .hasSize(1);
    } finally {
      worker.call(() -> {
        messages.close();
        return true;
      });
    }
  }

  private static List<Command> endpoints(int number) {
    var commands = new ArrayList<Command>();
    for (int i = 0; i < number; i++) {
      var key = "10.96.%d.%d . 80 . 0".formatted(i / 250, i % 250);
      commands.add(
          new AddElement(
              new ElementKey(Elements.endpoints(Protocol.TCP), key),
              Optional.of("10.244.0.1 . 8080")));
    }
    return commands;
  }

  @Test
  void isReadWhileSomebodyElseChangesOtherTablesAllTheTime() throws InterruptedException {
    var layout = Layout.of(Family.IPV4);
    var others = Layout.of(Family.IPV6);
    nft.commit(layout, layout.create());
    nft.commit(others, others.create());
    var expected = nft.read(layout);
    long before = nft.generation().orElseThrow();
    var vip = new ElementKey(Elements.VIPS, "fd00:96::1");
    var foreign = new Foreign();
    var over = new AtomicBoolean();
    try (var neighbour = Worker.start(NAMESPACE + "-other", "the neighbour's thread")) {
      var messages =
          neighbour.call(() -> {
            Worker.enter(foreign, Path.of("/run/netns", NAMESPACE));
            return NetlinkNft.open(foreign);
          });
      var changes =
          Thread.ofPlatform()
              .daemon()
              .start(() -> {
                while (!over.get()) {
                  var add = List.<Command>of(new AddElement(vip, Optional.empty()));
                  var delete = List.<Command>of(new Command.DeleteElement(vip));
                  neighbour.call(() -> messages.commit(others, add));
                  neighbour.call(() -> messages.commit(others, delete));
                  LockSupport.parkNanos(200_000);
                }
              });
      try {
        await("somebody changes something").until(() -> nft.generation().orElseThrow() != before);
        for (int i = 0; i < 20; i++) {
          assertThat(nft.read(layout)).isEqualTo(expected);
        }
      } finally {
        over.set(true);
        changes.join();
        neighbour.call(() -> {
          messages.close();
          return true;
        });
      }
    }
  }

  /** What nft itself reads is a second opinion on what is written and read here. */
  @ParameterizedTest
  @EnumSource(Family.class)
  void isReadAsNftReadsIt(Family family) throws IOException, InterruptedException {
    var layout = Layout.of(family);
    nft.commit(layout, layout.create());
    var a = family == Family.IPV4 ? "10.96.0.1" : "fd00:96::1";
    var commands = new ArrayList<Command>();
    for (var program :
        List.of(
            new Program.RoundRobin(3, Protocol.UDP, 1),
            new Program.Random(70),
            new Program.Sticky(Choice.HASH, 1021, 60, Protocol.TCP, 1, 3))) {
      commands.addAll(layout.createProgram(program));
      commands.add(Layout.dispatch(program));
    }
    for (var block :
        family == Family.IPV4
            ? List.of("0.0.0.0/0", "10.96.0.0/16", "10.97.0.0/16", "255.255.255.255/32")
            : List.of("::/0", "fd00:96::/112", "fd00:96::1:0/112")) {
      var set = block.endsWith("/0") ? Elements.CLUSTER_CIDRS : Elements.SERVICE_CIDRS;
      commands.add(new AddElement(new ElementKey(set, block), Optional.empty()));
    }
    for (var protocol : Protocol.values()) {
      commands.add(
          new AddElement(
              new ElementKey(Elements.services(protocol), a + " . 258"), Optional.of("1:3")));
      commands.add(
          new AddElement(
              new ElementKey(Elements.endpoints(protocol), a + " . 258 . 772"),
              Optional.of(a + " . 8081")));
      commands.add(
          new AddElement(
              new ElementKey(Elements.choices(protocol), a + " . 258 . 2"), Optional.of("0:7")));
      commands.add(
          new AddElement(
              new ElementKey(Elements.ids(protocol), a + " . 258 . 1:7"),
              Optional.of(a + " . 8081")));
    }
    commands.add(new AddElement(new ElementKey(Elements.VIPS, a), Optional.empty()));
    commands.add(new AddElement(new ElementKey(Elements.HAIRPIN, a + " . " + a), Optional.empty()));
    commands.add(new AddElement(new ElementKey(Elements.POSITION, "1"), Optional.of("258")));
    nft.commit(layout, commands);
    var table = layout.nftFamily() + " " + CommandText.TABLE;
    assertThat(nft.read(layout)).contains(Listing.contents(nftSays("list table " + table)));
  }

  /** The same rules by our messages and by the library are the same octets in the kernel. */
  @ParameterizedTest
  @EnumSource(Family.class)
  void rulesAreThoseOfTheLibrary(Family family) throws IOException, InterruptedException {
    var layout = Layout.of(family);
    nft.commit(layout, layout.create());
    for (var protocol : Protocol.values()) {
      for (var program : List.of(new Program.RoundRobin(3, protocol, 7), new Program.Random(70))) {
        var create = layout.createProgram(program);
        assertThat(NftMessages.batch(layout, create, 1)).as("%s", program).isPresent();
        nft.commit(layout, create);
        var chain = layout.nftFamily() + " " + CommandText.TABLE + " " + program.chain();
        var ours = bytecode(chain);
        nft.commit(layout, List.of(new Command.DeleteChain(program.chain())));
        nftSays(CommandText.render(layout, create));
        assertThat(bytecode(chain))
            .as("%s", program)
            .isEqualTo(ours)
            .anyMatch(line -> line.startsWith("[ nat dnat"));
        nft.commit(layout, List.of(new Command.DeleteChain(program.chain())));
      }
    }
  }

  /** What the kernel holds of a chain, without handles and the library's own words about it. */
  private static List<String> bytecode(String chain) throws IOException, InterruptedException {
    return nftSays("--debug=netlink", "list chain " + chain)
        .lines()
        .map(String::strip)
        .filter(line -> line.startsWith("["))
        .toList();
  }

  private static String nftSays(String... words) throws IOException, InterruptedException {
    var command = new ArrayList<>(List.of("ip", "netns", "exec", NAMESPACE, "nft"));
    command.addAll(List.of(words));
    return Lab.run(command.toArray(String[]::new));
  }

  /** The library belongs to the thread that is in the namespace. */
  private record OnWorker(Worker worker, NftGateway lib) implements NftGateway {
    @Override
    public void commit(
        io.fairlead.agent.ruleset.Layout layout,
        java.util.List<io.fairlead.agent.ruleset.Command> commands) {
      worker.call(() -> {
        lib.commit(layout, commands);
        return true;
      });
    }

    @Override
    public java.util.Optional<io.fairlead.agent.ruleset.TableContents> read(
        io.fairlead.agent.ruleset.Layout layout) {
      return worker.call(() -> lib.read(layout));
    }

    @Override
    public java.util.OptionalLong generation() {
      return worker.call(lib::generation);
    }

    @Override
    public void close() {
      worker.call(() -> {
        lib.close();
        return true;
      });
    }
  }
}
