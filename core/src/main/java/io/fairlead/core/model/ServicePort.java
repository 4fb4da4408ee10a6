package io.fairlead.core.model;

import java.util.Optional;

/**
 * A port of a Service.
 *
 * @param name "" for the only port of a Service that has no name
 * @param port 1..65535
 * @param targetPort where it leads on a Pod
 */
public record ServicePort(
    String name, Protocol protocol, int port, PortRef targetPort, Optional<String> appProtocol) {}
