package io.fairlead.standalone.pods.run;

import io.fairlead.core.model.Pod;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** What a container's program finds in its environment: nothing of this process'. Pure. */
final class ContainerEnvironment {
  static final String PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  private static final int LONGEST_HOSTNAME = 63;

  private ContainerEnvironment() {}

  /**
   * PATH, HOME and HOSTNAME, the Services' variables, and above these the container's own.
   *
   * @param services of the moment, see {@link io.fairlead.core.env.ServiceEnvironment}
   */
  static SortedMap<String, String> of(
      Pod pod, Pod.Container container, RunUser user, Map<String, String> services) {
    var given = new TreeMap<>(services);
    given.put("PATH", PATH);
    given.put("HOME", user.home());
    given.put("HOSTNAME", hostname(pod));
    return Expansion.variables(given, container.env());
  }

  /** {@code spec.hostname}, else the Pod's name, cut where it is too long for one. */
  static String hostname(Pod pod) {
    var name = pod.spec().hostname().orElse(pod.meta().name());
    return name.length() <= LONGEST_HOSTNAME
        ? name
        : name.substring(0, LONGEST_HOSTNAME).replaceAll("[-.]+$", "");
  }
}
