package io.fairlead.core.decide;

import io.fairlead.core.model.ObjectName;
import java.util.List;
import java.util.UUID;

/** What can be asked of {@link ServicesDecider}. */
public sealed interface ServiceCommand {
  /** Refuses a name that exists. */
  record Create(ServiceDraft draft, DryRun dryRun) implements ServiceCommand {}

  /**
   * Creates, or changes what differs. With a resourceVersion or uid in the draft: only that one.
   */
  record Apply(ServiceDraft draft, DryRun dryRun) implements ServiceCommand {}

  /**
   * Makes what is there what the draft says, and refuses a name that does not exist. With a
   * resourceVersion or uid in the draft: only that one.
   */
  record Update(ServiceDraft draft, DryRun dryRun) implements ServiceCommand {}

  /**
   * @param uid "" = whatever is there
   * @param resourceVersion "" = whatever is there
   */
  record Delete(ObjectName name, String uid, String resourceVersion, DryRun dryRun)
      implements ServiceCommand {
    public Delete(ObjectName name, String uid, String resourceVersion) {
      this(name, uid, resourceVersion, DryRun.NO);
    }
  }

  /** Refuses a name that was made; one that is only there because it holds something is made. */
  record CreateNamespace(NamespaceDraft draft, DryRun dryRun) implements ServiceCommand {}

  /** Makes the namespace, or changes its labels and annotations where they differ. */
  record ApplyNamespace(NamespaceDraft draft, DryRun dryRun) implements ServiceCommand {}

  /**
   * Refused while the namespace holds Services.
   *
   * @param uid "" = whatever is there
   * @param resourceVersion "" = whatever is there
   */
  record DeleteNamespace(String name, String uid, String resourceVersion, DryRun dryRun)
      implements ServiceCommand {
    public DeleteNamespace(String name, String uid, String resourceVersion) {
      this(name, uid, resourceVersion, DryRun.NO);
    }
  }

  /** Holds addresses for a Service of one name. */
  record Reserve(ReservationDraft draft) implements ServiceCommand {}

  /** Ends a reservation before its time. */
  record Release(String id, Authority authority) implements ServiceCommand {}

  /** Why somebody may release a reservation; found out where its token's hash is, in etcd. */
  enum Authority {
    /** The token was right, or there is nothing left that it could protect. */
    TOKEN,
    FORCE,
    NONE
  }

  /** Writes down that a reservation is gone from etcd. */
  record EndReservation(UUID id) implements ServiceCommand {}

  /**
   * Lets the log hold what needs that level, for good.
   *
   * @param unsupported replicas that would not understand it, in words: found out where they are
   *     known, in etcd
   */
  record RaiseFeatureLevel(int level, List<String> unsupported) implements ServiceCommand {
    public RaiseFeatureLevel {
      unsupported = List.copyOf(unsupported);
    }
  }

  /** Refuses a name that exists. */
  record CreateCidr(ServiceCidrDraft draft, DryRun dryRun) implements ServiceCommand {}

  /**
   * Creates, or changes labels and annotations where they differ. The ranges stay; only {@code
   * default} may get a second one.
   */
  record ApplyCidr(ServiceCidrDraft draft, DryRun dryRun) implements ServiceCommand {}

  /**
   * Removes it where it holds no address; else it becomes Terminating.
   *
   * @param uid "" = whatever is there
   * @param resourceVersion "" = whatever is there
   */
  record DeleteCidr(String name, String uid, String resourceVersion, DryRun dryRun)
      implements ServiceCommand {
    public DeleteCidr(String name, String uid, String resourceVersion) {
      this(name, uid, resourceVersion, DryRun.NO);
    }
  }
}
