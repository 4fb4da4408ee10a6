package io.fairlead.core.decide;

import io.fairlead.core.model.Pod;
import java.util.Optional;
import java.util.function.Function;

/** What of a Pod stays as it was when it was made: as in Kubernetes, nearly all of its spec. */
final class PodImmutability {
  private PodImmutability() {}

  /** A Pod does not move: what runs elsewhere is another Pod, with another uid. */
  static void checkPlace(Pod before, Optional<String> nodeName, Violations violations) {
    before
        .spec()
        .nodeName()
        .filter(node -> nodeName.isPresent() && !nodeName.equals(Optional.of(node)))
        .ifPresent(node ->
            violations.immutable(
                "spec.nodeName",
                "is " + node + " and stays so: delete the Pod and create it anew"));
  }

  /**
   * Whoever applies a manifest changes labels and annotations, and may bind a Pod that is on no
   * node. Sources tell what runs elsewhere, and are not asked.
   */
  static void checkSpec(Pod before, Pod.Spec after, Violations violations) {
    same("hostNetwork", Pod.Spec::hostNetwork, before, after, violations);
    same("hostname", Pod.Spec::hostname, before, after, violations);
    same("subdomain", Pod.Spec::subdomain, before, after, violations);
    same("containers", Pod.Spec::containers, before, after, violations);
    same("restartPolicy", Pod.Spec::restartPolicy, before, after, violations);
    same("terminationGracePeriodSeconds", Pod.Spec::terminationGrace, before, after, violations);
    same("initContainers", Pod.Spec::initContainers, before, after, violations);
    same("readinessGates", Pod.Spec::readinessGates, before, after, violations);
    same("enableServiceLinks", Pod.Spec::enableServiceLinks, before, after, violations);
  }

  private static <T> void same(
      String field, Function<Pod.Spec, T> of, Pod before, Pod.Spec after, Violations violations) {
    if (!of.apply(before.spec()).equals(of.apply(after))) {
      violations.forbidden(
          "spec." + field, "a Pod's spec does not change: delete the Pod and create it anew");
    }
  }
}
