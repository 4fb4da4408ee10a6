package io.fairlead.allocator;

import io.fairlead.core.run.Time;
import io.fairlead.runtime.Faults;

/** The process. */
public final class Main {
  private Main() {}

  /** Runs until SIGTERM. */
  public static void main(String[] args) throws InterruptedException {
    var config = AllocatorConfig.load(args, System.getenv());
    try (var service = AllocatorService.start(config, Time.system(), Faults.halting())) {
      service.awaitStopped();
    }
  }
}
