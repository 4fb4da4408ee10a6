package io.fairlead.testbed.archsamples.core;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Breaks the rule: logging is not part of the domain. */
final class LogsInCore {
  private static final Logger LOG = LoggerFactory.getLogger(LogsInCore.class);

  private LogsInCore() {}

  static void decide() {
    LOG.info("decided");
  }
}
