package io.fairlead.core.decide;

import io.fairlead.core.image.PodClaims;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.ObjectName;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;

/** Why a request was refused. Nothing was written, claimed or freed. */
public sealed interface Refusal {
  /** All faults of what was sent; never empty. */
  record Invalid(ObjectKey object, List<Violation> violations) implements Refusal {
    public Invalid {
      violations = List.copyOf(violations);
    }
  }

  /** Create of a name that is taken. */
  record NameTaken(ObjectKey object) implements Refusal {}

  /** The one fault is that an address asked for belongs to somebody else. */
  record AddressTaken(ObjectKey object, Address address, ObjectName holder) implements Refusal {}

  /**
   * The one fault is that an address asked for is reserved for the Service of another name, or
   * reserved already.
   *
   * @param expires when that ends unless it is renewed
   */
  record AddressReserved(
      ObjectKey object, Address address, ObjectName holder, UUID reservation, Instant expires)
      implements Refusal {}

  /**
   * There are not so many free addresses in the static bands.
   *
   * @param free how many there are
   * @param ending ServiceCIDRs of that family that give out nothing any more, for people
   */
  record BandFull(
      ObjectKey object, Family family, List<Cidr> ranges, int asked, int free, List<String> ending)
      implements Refusal {
    public BandFull {
      ranges = List.copyOf(ranges);
      ending = List.copyOf(ending);
    }

    public BandFull(ObjectKey object, Family family, List<Cidr> ranges, int asked, int free) {
      this(object, family, ranges, asked, free, List.of());
    }
  }

  /** Not the token that the reservation was made with. */
  record WrongToken(ObjectKey object) implements Refusal {}

  /**
   * A bound is reached.
   *
   * @param limit which one, and how high it is
   */
  record Limit(String limit) implements Refusal {}

  /**
   * @param ranges where an address was looked for; empty = there is no range of that family
   * @param ending ServiceCIDRs of that family that give out nothing any more, for people
   */
  record RangeFull(ObjectKey object, Family family, List<Cidr> ranges, List<String> ending)
      implements Refusal {
    public RangeFull {
      ranges = List.copyOf(ranges);
      ending = List.copyOf(ending);
    }

    public RangeFull(ObjectKey object, Family family, List<Cidr> ranges) {
      this(object, family, ranges, List.of());
    }
  }

  /** What follows words about ranges: those that give out nothing any more, if any. */
  static String ending(List<String> ranges) {
    return ranges.isEmpty()
        ? ""
        : "; terminating, so that nothing is given out of it: " + String.join(", ", ranges);
  }

  record NotFound(ObjectKey object) implements Refusal {}

  /**
   * What is there is not what the caller saw.
   *
   * @param field {@code metadata.resourceVersion} or {@code metadata.uid}
   * @param actual "" = nothing is there, or it is being changed at this moment
   */
  record Stale(ObjectKey object, String field, String expected, String actual) implements Refusal {}

  /** It belongs to somebody else: the control plane, or another source of Pods. */
  record NotYours(ObjectKey object, String message) implements Refusal {}

  /**
   * It still holds other objects.
   *
   * @param holds how many of each kind; at least one
   * @param first one of them
   */
  record NotEmpty(ObjectKey object, SortedMap<Kind, Integer> holds, ObjectKey first)
      implements Refusal {
    public NotEmpty {
      holds = Collections.unmodifiableSortedMap(new TreeMap<>(holds));
    }
  }

  /** It is being deleted. */
  record Terminating(ObjectKey object, String message) implements Refusal {}

  /**
   * The node opened a later session, or was lost in this one.
   *
   * @param session what the caller said
   */
  record SessionEnded(ObjectKey node, long session, String message) implements Refusal {}

  /**
   * The node is not lost, so it must not be taken off the record.
   *
   * @param streamAt the replica that holds its stream; empty where none does at the moment
   */
  record NodeLives(ObjectKey node, Optional<String> streamAt) implements Refusal {}

  /** A Pod would claim an address and port that another Pod of its node claims. */
  record PortTaken(ObjectKey object, PodClaims.Taken taken) implements Refusal {}

  /**
   * The log may not hold it yet.
   *
   * @param needed the level that it needs
   * @param level what the log has
   */
  record AboveFeatureLevel(ObjectKey object, int needed, int level) implements Refusal {}

  /**
   * The log's level cannot be raised.
   *
   * @param replicas those that do not support it, in words; at least one
   */
  record UnsupportedFeatureLevel(int level, List<String> replicas) implements Refusal {
    public UnsupportedFeatureLevel {
      replicas = List.copyOf(replicas);
    }
  }

  /**
   * Another agent has the node's name and opened a session later.
   *
   * @param session the last one of who is refused
   * @param address of the node, as the other says
   */
  record Superseded(ObjectKey node, long session, Address address) implements Refusal {}
}
