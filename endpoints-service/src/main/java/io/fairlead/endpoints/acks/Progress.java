package io.fairlead.endpoints.acks;

import io.fairlead.core.model.Acknowledgement.Refused;
import io.fairlead.core.model.Position;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * How far the nodes are with a position: a pure function of where they stand.
 *
 * @param nodes how many count
 * @param behind those that have not acknowledged it, by name
 * @param lost those that do not count, by name
 */
public record Progress(int nodes, List<Behind> behind, List<String> lost) {
  public Progress {
    behind = List.copyOf(behind);
    lost = List.copyOf(lost);
  }

  /** Why a node does not have what is waited for. */
  public enum Why {
    NO_STREAM,
    BEHIND,
    QUARANTINED,
    UNKNOWN
  }

  public record Behind(Standing standing, Why why, String message) {}

  /**
   * Compares.
   *
   * @param concerns which refused rules count
   * @param trouble why this replica does not know what others' nodes acknowledge
   */
  public static Progress of(
      List<Standing> standings,
      Position position,
      Predicate<Refused> concerns,
      Optional<String> trouble) {
    int nodes = 0;
    var behind = new ArrayList<Behind>();
    var lost = new ArrayList<String>();
    for (var standing : standings) {
      if (standing.lost()) {
        lost.add(standing.node());
      } else {
        nodes++;
        behind(standing, position, concerns, trouble).ifPresent(behind::add);
      }
    }
    return new Progress(nodes, behind, lost);
  }

  public boolean applied() {
    return behind.isEmpty();
  }

  private static Optional<Behind> behind(
      Standing standing, Position position, Predicate<Refused> concerns, Optional<String> trouble) {
    if (standing.position().filter(at -> at.covers(position)).isPresent()) {
      var refused = standing.refused().stream().filter(concerns).toList();
      return refused.isEmpty()
          ? Optional.empty()
          : Optional.of(
              new Behind(
                  standing,
                  Why.QUARANTINED,
                  "its kernel refuses "
                      + refused.stream()
                          .map(r -> r.frontend() + ": " + r.reason())
                          .collect(Collectors.joining("; "))));
    }
    boolean told = standing.stream() instanceof Standing.Held(_, boolean here) && here;
    if (trouble.isPresent() && !told) {
      return Optional.of(new Behind(standing, Why.UNKNOWN, "nobody knows: " + trouble.get()));
    }
    if (standing.stream() instanceof Standing.None) {
      return Optional.of(
          new Behind(
              standing, Why.NO_STREAM, "no stream: its agent is not connected" + at(standing)));
    }
    return Optional.of(
        new Behind(
            standing,
            Why.BEHIND,
            standing.position().isEmpty()
                ? "has acknowledged nothing since its stream was opened" + error(standing)
                : "behind by %d offsets%s%s"
                    .formatted(standing.lag(position).orElse(0L), at(standing), error(standing))));
  }

  private static String at(Standing standing) {
    return standing.position().map(at -> ", at " + at.offsets()).orElse("");
  }

  private static String error(Standing standing) {
    return standing.error().isEmpty() ? "" : ": " + standing.error();
  }
}
