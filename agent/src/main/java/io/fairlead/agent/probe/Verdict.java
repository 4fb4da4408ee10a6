package io.fairlead.agent.probe;

/**
 * What probes found of a container or a Pod.
 *
 * @param reason for people, e.g. {@code http 503}
 */
public record Verdict(boolean ready, String reason) {}
