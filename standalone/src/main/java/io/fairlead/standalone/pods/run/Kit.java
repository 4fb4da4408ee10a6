package io.fairlead.standalone.pods.run;

import io.fairlead.core.run.Time;
import io.fairlead.devkit.fabric.Fabric;
import java.nio.file.Path;

/**
 * What all Pods share.
 *
 * @param directory where each Pod has one of its own, named by its uid
 * @param nameserver that Pods ask
 * @param clusterDomain e.g. {@code cluster.local}
 */
public record Kit(
    PodApi api,
    Fabric fabric,
    Sandbox sandbox,
    Images images,
    Path directory,
    String nameserver,
    String clusterDomain,
    Time time) {
  Path directoryOf(io.fairlead.core.model.Pod pod) {
    return directory.resolve(pod.uid().toString());
  }
}
