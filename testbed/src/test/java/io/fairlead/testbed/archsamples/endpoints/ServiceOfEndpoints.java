package io.fairlead.testbed.archsamples.endpoints;

/** Keeps all rules; another service must not know it. */
public record ServiceOfEndpoints(String replica) {}
