package io.fairlead.standalone.pods.run;

import java.util.Optional;

/**
 * A container as the API shows it.
 *
 * @param restarts runs after the first one
 * @param last how the run before ended
 */
public record ContainerReport(
    String name, int restarts, ContainerState state, Optional<ContainerState.Terminated> last) {}
