package io.fairlead.dns;

import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;

/** The process {@code dns-service}. */
public final class Main {
  private Main() {}

  /** Runs until SIGTERM. */
  public static void main(String[] args) throws Exception {
    var config = DnsConfig.load(args, System.getenv());
    try (var service = DnsService.start(config, Time.system(), RandomSource.secure())) {
      service.awaitStopped();
    }
  }
}
