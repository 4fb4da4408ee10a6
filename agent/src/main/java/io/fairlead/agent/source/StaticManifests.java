package io.fairlead.agent.source;

import io.fairlead.core.model.Address;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/**
 * The static Pods of a node: manifests in a directory.
 *
 * @param addresses of the node: those of Pods that do not say their own
 */
public record StaticManifests(Path directory, String node, List<Address> addresses)
    implements PodSource {
  public StaticManifests {
    addresses = List.copyOf(addresses);
  }

  /** The name of this source in the log. */
  public static String nameOn(String node) {
    return "manifests/" + node;
  }

  @Override
  public String name() {
    return nameOn(node);
  }

  @Override
  public Watch watch(Consumer<Pods> listener) {
    return ManifestDirectory.watch(directory, node, addresses, listener);
  }
}
