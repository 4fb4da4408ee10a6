package io.fairlead.core.decide;

import io.fairlead.core.model.ManualSlice;
import io.fairlead.core.model.Node;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Pod;
import java.util.List;
import java.util.OptionalLong;
import java.util.UUID;

/**
 * What {@link PodsDecider} answers. Versions are offsets of records; empty until the record is in
 * the log, and where none was written.
 */
public sealed interface PodOutcome {
  /**
   * @param result CREATED, CONFIGURED or UNCHANGED
   */
  record Stored(Result result, Pod pod, OptionalLong resourceVersion) implements PodOutcome {}

  record Deleted(ObjectName name, UUID uid, OptionalLong resourceVersion) implements PodOutcome {}

  /**
   * @param result CREATED, CONFIGURED, or UNCHANGED where it was LoseNode and there was nothing to
   *     lose
   * @param resourceVersion where a session was opened: the session
   */
  record NodeStored(Result result, Node node, OptionalLong resourceVersion) implements PodOutcome {}

  record NodeDeleted(String name, UUID uid, OptionalLong resourceVersion) implements PodOutcome {}

  /**
   * @param dropped reports that do not count, with why; a remembered answer does not know them any
   *     more
   * @param resourceVersion of the first Pod whose readiness changed
   */
  record Reported(List<Dropped> dropped, OptionalLong resourceVersion) implements PodOutcome {
    public Reported {
      dropped = List.copyOf(dropped);
    }
  }

  /**
   * @param refused Pods that were left as they are, with why
   */
  record Reconciled(List<Dropped> refused, OptionalLong resourceVersion) implements PodOutcome {
    public Reconciled {
      refused = List.copyOf(refused);
    }
  }

  /** How many Pods went; 0 where they are not to be collected any more. */
  record Collected(int pods) implements PodOutcome {}

  /**
   * @param result CREATED, CONFIGURED or UNCHANGED
   */
  record SliceStored(Result result, ManualSlice slice, OptionalLong resourceVersion)
      implements PodOutcome {}

  record SliceDeleted(ObjectName name, UUID uid, OptionalLong resourceVersion)
      implements PodOutcome {}

  record Dropped(ObjectName pod, String reason) {}

  record Refused(Refusal refusal) implements PodOutcome {}

  /** This outcome after its first record was delivered at that offset. */
  default PodOutcome at(long offset) {
    var version = OptionalLong.of(offset);
    return switch (this) {
      case Stored(var result, var pod, _) -> new Stored(result, pod, version);
      case Deleted(var name, var uid, _) -> new Deleted(name, uid, version);
      case NodeStored(var result, var node, _) -> new NodeStored(result, node, version);
      case NodeDeleted(var name, var uid, _) -> new NodeDeleted(name, uid, version);
      case Reported(var dropped, _) -> new Reported(dropped, version);
      case Reconciled(var refused, _) -> new Reconciled(refused, version);
      case SliceStored(var result, var slice, _) -> new SliceStored(result, slice, version);
      case SliceDeleted(var name, var uid, _) -> new SliceDeleted(name, uid, version);
      case Collected collected -> collected;
      case Refused refused -> refused;
    };
  }
}
