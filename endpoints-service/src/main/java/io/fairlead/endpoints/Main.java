package io.fairlead.endpoints;

import io.fairlead.core.run.Time;
import io.fairlead.runtime.Faults;

/** The process. */
public final class Main {
  private Main() {}

  /** Runs until SIGTERM. */
  public static void main(String[] args) throws InterruptedException {
    var config = EndpointsConfig.load(args, System.getenv());
    try (var service = EndpointsService.start(config, Time.system(), Faults.halting())) {
      service.awaitStopped();
    }
  }
}
