package io.fairlead.endpoints.acks;

import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.Acknowledgement.Refused;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Position;
import io.fairlead.core.view.PodTraffic;
import io.fairlead.endpoints.acks.Progress.Behind;
import io.fairlead.endpoints.acks.Progress.Why;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Who sends new connections to a Pod that is drained: a pure function of where the nodes stand.
 *
 * <p>A node is clear when it has acknowledged the mark, what it acknowledged sends nothing to the
 * Pod, what the newest image makes of it does not either, nothing that these depend on changed
 * between the two, and its kernel refuses no rule that may still lead there. The mark is needed
 * although its rules lead nowhere: a node that is behind it may yet come by a moment at which the
 * Pod was ready and not marked; and one that is behind a change of the others may come by one at
 * which the Pod was the last resort.
 *
 * @param nodes how many count
 * @param behind those that are not clear, by name
 * @param lost those that do not count, by name
 * @param marked whether all that count have acknowledged the mark
 * @param last Services for which the newest image still sends some node's connections there
 * @param publishing those among them, or headless ones, that publish what is not ready
 * @param headless whether DNS may have told its address
 */
public record DrainCheck(
    int nodes,
    List<Behind> behind,
    List<String> lost,
    boolean marked,
    SortedSet<ObjectName> last,
    SortedSet<ObjectName> publishing,
    boolean headless) {
  public DrainCheck {
    behind = List.copyOf(behind);
    lost = List.copyOf(lost);
  }

  /**
   * The newest image, and older ones.
   *
   * @param past the image of a position; empty = it is too old, or ahead of the newest
   */
  public record Images(ClusterImage newest, Function<Position, Optional<Past>> past) {}

  /**
   * An older image.
   *
   * @param changed what was stored or removed since
   */
  public record Past(ClusterImage image, Collection<ObjectKey> changed) {}

  /**
   * Looks.
   *
   * @param mark whoever has it has the mark of the Pod
   * @param trouble why this replica does not know what others' nodes acknowledge
   */
  public static DrainCheck of(
      ObjectName pod,
      UUID uid,
      Position mark,
      List<Standing> standings,
      Images images,
      Optional<String> trouble) {
    return new Looking(pod, uid, mark, images, trouble).look(standings);
  }

  /** Whether no node that counts sends new connections there. */
  public boolean clear() {
    return behind.isEmpty() && publishing.isEmpty();
  }

  /** One look. */
  private static final class Looking {
    private record Then(ClusterImage image, PodTraffic traffic, boolean underWay) {}

    private final ObjectName pod;
    private final UUID uid;
    private final Position mark;
    private final Images images;
    private final Optional<String> trouble;
    private final PodTraffic newest;
    private final Map<Position, Optional<Then>> pasts = new HashMap<>();
    private final SortedSet<ObjectName> last = new TreeSet<>();

    Looking(ObjectName pod, UUID uid, Position mark, Images images, Optional<String> trouble) {
      this.pod = pod;
      this.uid = uid;
      this.mark = mark;
      this.images = images;
      this.trouble = trouble;
      this.newest = PodTraffic.of(images.newest(), pod, uid);
    }

    DrainCheck look(List<Standing> standings) {
      int nodes = 0;
      boolean marked = true;
      var behind = new ArrayList<Behind>();
      var lost = new ArrayList<String>();
      for (var standing : standings) {
        if (standing.lost()) {
          lost.add(standing.node());
          continue;
        }
        nodes++;
        var unmarked =
            Progress.of(List.of(standing), mark, this::mayLeadThere, trouble).behind().stream()
                .findFirst();
        marked &= unmarked.filter(b -> b.why() != Why.QUARANTINED).isEmpty();
        var used = newest.through(PodTraffic.context(images.newest(), standing.node()));
        last.addAll(used);
        unmarked.or(() -> sending(standing, used)).ifPresent(behind::add);
      }
      return new DrainCheck(
          nodes, behind, lost, marked, last, newest.publishing(), !newest.headless().isEmpty());
    }

    private Optional<Behind> sending(Standing standing, SortedSet<ObjectName> used) {
      var at = standing.position().orElseThrow(); // it has acknowledged the mark
      var then = pasts.computeIfAbsent(at, this::then);
      if (then.isEmpty()) {
        return Optional.of(
            new Behind(
                standing,
                Why.BEHIND,
                "at " + at.offsets() + ": this replica cannot tell what that sends where"));
      }
      if (then.get().underWay()) {
        return Optional.of(
            new Behind(
                standing,
                Why.BEHIND,
                "at "
                    + at.offsets()
                    + ": what changed since may send new connections there for a moment"));
      }
      var services = new TreeSet<>(used);
      services.addAll(
          then.get().traffic().through(PodTraffic.context(then.get().image(), standing.node())));
      return services.isEmpty()
          ? Optional.empty()
          : Optional.of(
              new Behind(
                  standing,
                  Why.BEHIND,
                  "sends new connections there, of "
                      + services.stream()
                          .map(service -> "Service " + service)
                          .collect(Collectors.joining(", "))));
    }

    private Optional<Then> then(Position at) {
      return images
          .past()
          .apply(at)
          .map(past -> {
            var traffic = PodTraffic.of(past.image(), pod, uid);
            var services = new TreeSet<>(traffic.services());
            services.addAll(newest.services());
            return new Then(
                past.image(),
                traffic,
                past.changed().stream().anyMatch(key -> concerns(key, past.image(), services)));
          });
    }

    /** Whether what the nodes make of these Services may depend on an object. */
    private boolean concerns(ObjectKey key, ClusterImage then, SortedSet<ObjectName> services) {
      return switch (key.kind()) {
        case NODE -> !services.isEmpty();
        case SERVICE -> services.contains(key.objectName());
        case POD, POD_READINESS ->
            PodTraffic.isOf(then, key.objectName(), services)
                || PodTraffic.isOf(images.newest(), key.objectName(), services);
        case ENDPOINT_SLICE,
            NAMESPACE,
            SERVICE_CIDR,
            RESERVATION,
            PARTITION_HEADER,
            FEATURE_LEVEL ->
            false;
      };
    }

    /**
     * What a refused rule holds instead, nobody knows: it may have been anything its Service had,
     * also before the Pod's labels changed. So all rules count that are not of another namespace.
     */
    private boolean mayLeadThere(Refused refused) {
      return RefusedRules.service(images.newest(), refused)
          .filter(service -> !service.namespace().equals(pod.namespace()))
          .isEmpty();
    }
  }
}
