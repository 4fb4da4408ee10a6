package io.fairlead.bench;

import io.fairlead.agent.nft.KernelReader;
import io.fairlead.core.view.NodeRules.Frontend;
import io.fairlead.core.view.NodeRules.Target;
import io.fairlead.devkit.fabric.FabricNode;
import io.fairlead.devkit.fabric.NetnsSockets;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/**
 * Watches one frontend in one node's kernel with a reader of its own: when did which targets stand
 * there?
 */
final class KernelWatch implements AutoCloseable {
  private static final long PAUSE_NANOS = 300_000;

  /**
   * @param seen when the look that found these targets had ended: what it costs counts, too
   */
  record Sight(Set<Target> targets, Instant seen) {}

  private final Thread thread;
  private volatile Optional<Sight> last = Optional.empty();
  private volatile boolean stopping;

  KernelWatch(FabricNode node, Frontend frontend) {
    this.thread =
        Thread.ofPlatform()
            .daemon()
            .name("kernel-watch-" + node.name())
            .start(() ->
                NetnsSockets.call(
                    node.namespace(),
                    () -> {
                      try (var reader = KernelReader.open()) {
                        watch(reader, frontend);
                      }
                      return true;
                    }));
  }

  private void watch(KernelReader reader, Frontend frontend) {
    var generation = java.util.OptionalLong.empty();
    while (!stopping) {
      var now = reader.generation();
      if (now.isEmpty() || !now.equals(generation)) {
        generation = now;
        var targets =
            Optional.ofNullable(
                    reader.ports(frontend.vip().family(), frontend.protocol()).get(frontend))
                .map(state -> Set.copyOf(state.slots()))
                .orElse(Set.of());
        last = Optional.of(new Sight(targets, Instant.now()));
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  Optional<Sight> last() {
    return last;
  }

  @Override
  public void close() {
    stopping = true;
    try {
      thread.join();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
