package io.fairlead.core.model;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * How far one member of the cluster has come with the log. Not a fact of the log: the last word of
 * each counts, and all of them may be lost at any time.
 *
 * @param session of a node, the offset of the record that opened it; 0 for others
 * @param sequence grows with each word of one session
 * @param position what it equals; empty = nothing yet
 * @param error what keeps it from going on; "" = nothing
 * @param refused rules that a node's kernel does not take, so that its position is not true of them
 * @param ttl for how long others may remember what it answered: of DNS; else zero
 * @param featureLevel the highest of the log that it supports: of DNS, which is not known in etcd;
 *     else the first
 * @param manifests what is refused of a node's own Pods
 */
public record Acknowledgement(
    Member member,
    long session,
    long sequence,
    Optional<Position> position,
    String error,
    List<Refused> refused,
    Duration ttl,
    int featureLevel,
    Manifests manifests) {
  public Acknowledgement {
    refused = List.copyOf(refused);
  }

  /** Of whom has no manifests, or none that are refused. */
  public Acknowledgement(
      Member member,
      long session,
      long sequence,
      Optional<Position> position,
      String error,
      List<Refused> refused,
      Duration ttl,
      int featureLevel) {
    this(
        member,
        session,
        sequence,
        position,
        error,
        refused,
        ttl,
        featureLevel,
        Manifests.ALL_TAKEN);
  }

  /** Of whom nobody asks which levels it supports. */
  public Acknowledgement(
      Member member,
      long session,
      long sequence,
      Optional<Position> position,
      String error,
      List<Refused> refused,
      Duration ttl) {
    this(member, session, sequence, position, error, refused, ttl, FeatureLevel.FIRST);
  }

  /** Who acknowledges. */
  public enum Role {
    NODE("node"),
    /** A replica of dns-service. */
    DNS("dns"),
    /** A replica of endpoints-service, which so sees whether its own words come back. */
    REPLICA("replica");

    private final String text;

    Role(String text) {
      this.text = text;
    }

    public String text() {
      return text;
    }
  }

  /**
   * @param name of the node, or of the replica
   */
  public record Member(Role role, String name) {
    @Override
    public String toString() {
      return role.text() + "/" + name;
    }
  }

  /**
   * A rule that a kernel does not take.
   *
   * @param frontend as the agent writes it, e.g. {@code 10.96.0.10:80/TCP}
   * @param reason in the kernel's words
   */
  public record Refused(String frontend, String reason) {}

  /**
   * Manifests of a node's agent, or Pods in them, that are refused.
   *
   * @param refused how many
   * @param error why the last one is, with its file or Pod; "" where none is
   */
  public record Manifests(int refused, String error) {
    public static final Manifests ALL_TAKEN = new Manifests(0, "");
  }

  /** With what is refused of its manifests. */
  public Acknowledgement with(Manifests found) {
    return new Acknowledgement(
        member, session, sequence, position, error, refused, ttl, featureLevel, found);
  }

  /** Of a node. */
  public static Acknowledgement ofNode(
      String node,
      long session,
      long sequence,
      Optional<Position> position,
      String error,
      List<Refused> refused) {
    return new Acknowledgement(
        new Member(Role.NODE, node), session, sequence, position, error, refused, Duration.ZERO);
  }

  /** Whether it says the same as that; when a replica says something is what it says. */
  public boolean saysTheSameAs(Acknowledgement other) {
    return (member.role() != Role.REPLICA || sequence == other.sequence)
        && member.equals(other.member)
        && session == other.session
        && position.equals(other.position)
        && error.equals(other.error)
        && refused.equals(other.refused)
        && ttl.equals(other.ttl)
        && featureLevel == other.featureLevel
        && manifests.equals(other.manifests);
  }
}
