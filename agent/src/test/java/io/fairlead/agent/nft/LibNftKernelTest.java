package io.fairlead.agent.nft;

import io.fairlead.devkit.posix.Libc;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;

/** libnftables in a namespace of its own. */
@Tag("kernel")
@Timeout(60)
class LibNftKernelTest extends NftGatewayContract {
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
          return LibNft.open(foreign);
        });
    nft = new OnWorker(worker, lib);
  }

  @AfterEach
  void close() throws IOException, InterruptedException {
    if (nft != null) {
      nft.close();
      worker.close();
      Lab.run("ip", "netns", "delete", NAMESPACE);
    }
  }

  @Override
  NftGateway nft() {
    return nft;
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
