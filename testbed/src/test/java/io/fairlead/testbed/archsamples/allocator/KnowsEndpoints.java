package io.fairlead.testbed.archsamples.allocator;

import io.fairlead.testbed.archsamples.endpoints.ServiceOfEndpoints;

/** Breaks the rule: services meet in the log only. */
final class KnowsEndpoints {
  private KnowsEndpoints() {}

  static String replica(ServiceOfEndpoints service) {
    return service.replica();
  }
}
