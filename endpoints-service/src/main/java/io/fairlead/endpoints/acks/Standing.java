package io.fairlead.endpoints.acks;

import io.fairlead.core.model.Acknowledgement;
import io.fairlead.core.model.Acknowledgement.Manifests;
import io.fairlead.core.model.Acknowledgement.Refused;
import io.fairlead.core.model.Position;
import java.util.List;
import java.util.Optional;

/**
 * Where a node stands: what the log, etcd and its acknowledgements say together.
 *
 * @param lost the log says so, and etcd does not say otherwise; such a node does not count
 * @param stream which replica holds its stream
 * @param word what it acknowledged in its present session; what it said in an earlier one says
 *     nothing of what its kernel has now
 */
public record Standing(String node, boolean lost, Stream stream, Optional<Acknowledgement> word) {
  /** Who holds a node's stream. */
  public sealed interface Stream {}

  /**
   * @param here whether that is this replica
   */
  public record Held(String replica, boolean here) implements Stream {}

  public record None() implements Stream {}

  /** etcd does not answer. */
  public record Unknown() implements Stream {}

  public Optional<Position> position() {
    return word.flatMap(Acknowledgement::position);
  }

  public String error() {
    return word.map(Acknowledgement::error).orElse("");
  }

  public List<Refused> refused() {
    return word.map(Acknowledgement::refused).orElse(List.of());
  }

  /** What is refused of its manifests, as far as it said. */
  public Manifests manifests() {
    return word.map(Acknowledgement::manifests).orElse(Manifests.ALL_TAKEN);
  }

  /** How many offsets it is behind that; empty where it acknowledged nothing. */
  public Optional<Long> lag(Position ahead) {
    return position()
        .map(at ->
            ahead.next().entrySet().stream()
                .mapToLong(e -> Math.max(0, e.getValue() - at.of(e.getKey())))
                .sum());
  }
}
