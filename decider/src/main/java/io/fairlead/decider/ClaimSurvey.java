package io.fairlead.decider;

import io.fairlead.core.model.Address;
import io.fairlead.core.run.GatewayException;
import io.fairlead.etcd.Coordination.ClaimHolder;
import java.time.Duration;
import java.util.HashSet;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks now and then, beside the decisions, whether the claims in etcd are those of the image: a
 * look reads all claims, which takes longer the more there are, and nobody is to wait for that. A
 * decision under way differs for the moment between its claim and its record, and a deletion
 * between its record and the freeing; so only what two looks in turn found in the same way is
 * doubt, and is for {@link ClaimReconciler} to look at while nothing is decided. Of one take-over;
 * its methods are for the partition's thread.
 */
final class ClaimSurvey {
  private static final Logger log = LoggerFactory.getLogger(ClaimSurvey.class);
  static final Duration EVERY = Duration.ofSeconds(30);

  /** After a look that found something, or failed. */
  private static final Duration AGAIN = Duration.ofSeconds(1);

  private final Parts<?, ?> parts;
  private final Runnable onLooked;
  private long dueNanos;
  private Set<Difference> before = Set.of();

  /** What the last look found that did not fail, unless the claims were put right since. */
  private boolean differs;

  /** Written by the look, taken by the partition's thread. */
  private volatile Optional<Looked> looked = Optional.empty();

  private boolean looking;

  /**
   * One claim or reservation that is not as the image has it.
   *
   * @param revision of the claim in etcd, 0 where there is none: another one is another difference
   */
  private record Difference(Object what, UUID uid, long revision) {}

  private record Looked(Set<Difference> found, boolean failed) {}

  /**
   * The claims were just compared.
   *
   * @param onLooked called on another thread when a look has ended
   */
  ClaimSurvey(Parts<?, ?> parts, Runnable onLooked) {
    this.parts = parts;
    this.onLooked = onLooked;
    reconciled();
  }

  /** The claims were just compared while nothing was decided. */
  void reconciled() {
    before = Set.of();
    differs = false;
    dueNanos = parts.time().nanoTime() + EVERY.toNanos();
  }

  /** Whether the last look found something, which may have been a decision under way. */
  boolean differs() {
    return differs || looked.filter(last -> !last.found().isEmpty()).isPresent();
  }

  /** Begins a look in the background where one is due. */
  void lookIfDue() {
    if (!looking && parts.time().nanoTime() - dueNanos >= 0) {
      looking = true;
      var _ = Thread.ofVirtual().name("claim-survey").start(this::look);
    }
  }

  /** Whether the look that ended since this was last asked found what the one before found. */
  boolean takeDoubt() {
    var ended = looked;
    if (ended.isEmpty()) {
      return false;
    }
    looked = Optional.empty();
    looking = false;
    var result = ended.get();
    if (!result.failed()) {
      differs = !result.found().isEmpty();
    }
    var both = new HashSet<>(before);
    both.retainAll(result.found());
    boolean first = before.isEmpty();
    before = first ? result.found() : Set.of();
    boolean soon = result.failed() || !before.isEmpty();
    dueNanos = parts.time().nanoTime() + (soon ? AGAIN : EVERY).toNanos();
    return !both.isEmpty();
  }

  private void look() {
    var found = new HashSet<Difference>();
    boolean failed = true;
    try {
      compare(found);
      failed = false;
    } catch (GatewayException e) {
      log.atDebug().setCause(e).log("claims not looked at");
    } catch (RuntimeException e) {
      parts.faults().fault("looking at the claims", e);
    } finally {
      looked = Optional.of(new Looked(failed ? Set.of() : found, failed));
      onLooked.run();
    }
  }

  /** The image last: so that a claim that is not of a request under way has its record in it. */
  private void compare(Set<Difference> found) {
    var living = parts.coordination().reservations();
    var claims = parts.coordination().claims();
    var image = parts.feed().current().image();
    for (var id : ClaimComparison.unknown(image, living.keySet())) {
      found.add(new Difference("reservation", id, 0));
    }
    var compared = ClaimComparison.of(image, living.values(), claims);
    for (var orphan : compared.orphans()) {
      found.add(new Difference(orphan.address(), orphan.uid(), revision(claims, orphan.address())));
    }
    for (var wrong : compared.wrong()) {
      found.add(
          new Difference(wrong.right().address(), wrong.right().uid(), wrong.holder().revision()));
    }
    compared
        .missing()
        .forEach((address, right) -> found.add(new Difference(address, right.uid(), 0)));
    compared.lacking().forEach((address, id) -> found.add(new Difference(address, id, 0)));
  }

  private static long revision(SortedMap<Address, ClaimHolder> claims, Address address) {
    return Objects.requireNonNull(claims.get(address), "an orphan is a claim").revision();
  }
}
