package io.fairlead.core.image;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.Pod.ContainerPort;
import io.fairlead.core.model.Protocol;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Which address and port a Pod has on its node: each that its containers declare. Of two Pods that
 * claim one, the older has it, as with a ClusterIP: a function of the two records alone, so that
 * every replica agrees, whichever of them it read first. An older Pod that is refused itself stands
 * in the way all the same: who has what then depends on no third one.
 */
public final class PodClaims {
  /** An address and port of a node's Pod. */
  public record Claim(Address address, int port, Protocol protocol) {
    @Override
    public String toString() {
      var host = address.toString();
      return (host.contains(":") ? "[" + host + "]" : host) + ":" + port + "/" + protocol;
    }
  }

  /** What a Pod claims and another one has. */
  public record Taken(Claim claim, ObjectName holder) {
    @Override
    public String toString() {
      return claim + " is claimed by Pod " + holder;
    }
  }

  private PodClaims() {}

  /**
   * What an older Pod has of what this one claims; empty where it has all of it, or claims nothing.
   */
  public static Optional<Taken> taken(PodsImage pods, Pod pod) {
    if (pods.contested().isEmpty() || !claims(pod)) { // nearly always, and asked for each endpoint
      return Optional.empty();
    }
    return first(pods, pod, other -> isOlder(other, pod), List.of());
  }

  /**
   * What another Pod claims already, older or not, of what this one would claim in addition.
   *
   * @param before what stands under its name
   */
  public static Optional<Taken> takenAnew(PodsImage pods, Optional<Pod> before, Pod pod) {
    return takenAnew(pods, before, pod, _ -> true);
  }

  /**
   * The same, by some of the others.
   *
   * @param before what stands under its name
   */
  public static Optional<Taken> takenAnew(
      PodsImage pods, Optional<Pod> before, Pod pod, Others others) {
    return claims(pod)
        ? first(pods, pod, others, before.map(PodClaims::of).orElse(List.of()))
        : Optional.empty();
  }

  /** Whose claims are looked at. */
  @FunctionalInterface
  public interface Others {
    boolean count(Pod other);
  }

  private static Optional<Taken> first(PodsImage pods, Pod pod, Others others, List<Claim> except) {
    for (var address : pod.status().ips()) {
      for (var name : pods.claiming(address)) {
        if (name.equals(pod.name())) {
          continue;
        }
        var other = pods.get(name).orElseThrow().object();
        if (!other.spec().nodeName().equals(pod.spec().nodeName()) || !others.count(other)) {
          continue;
        }
        var claim =
            other
                .ports()
                .filter(theirs -> pod.ports().anyMatch(own -> isSame(own, theirs)))
                .map(port -> new Claim(address, port.containerPort(), port.protocol()))
                .filter(both -> !except.contains(both))
                .findFirst();
        if (claim.isPresent()) {
          return Optional.of(new Taken(claim.get(), name));
        }
      }
    }
    return Optional.empty();
  }

  private static boolean isSame(ContainerPort one, ContainerPort other) {
    return one.containerPort() == other.containerPort() && one.protocol() == other.protocol();
  }

  private static boolean isOlder(Pod one, Pod other) {
    int order = one.meta().created().compareTo(other.meta().created());
    if (order == 0) { // as text: what people read
      order = one.uid().toString().compareTo(other.uid().toString());
    }
    return (order == 0 ? one.name().compareTo(other.name()) : order) < 0;
  }

  private static List<Claim> of(Pod pod) {
    var claims = new ArrayList<Claim>();
    for (var address : addresses(pod)) {
      pod.ports()
          .forEach(port -> claims.add(new Claim(address, port.containerPort(), port.protocol())));
    }
    return claims;
  }

  /** Where it claims anything. */
  static List<Address> addresses(Pod pod) {
    return claims(pod) ? pod.status().ips() : List.of();
  }

  /** One that has ended, or is on no node, holds nothing. */
  private static boolean claims(Pod pod) {
    if (pod.spec().nodeName().isEmpty() || pod.status().phase().isFinal()) {
      return false;
    }
    for (var container : pod.spec().lasting()) {
      if (!container.ports().isEmpty()) {
        return true;
      }
    }
    return false;
  }
}
