package io.fairlead.decider;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.util.LoggingLevel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** All interleavings that Lincheck tries of those who offer and the one who takes. */
@Timeout(300)
class MailboxConcurrencyTest {
  private static final int CAPACITY = 3;

  @Test
  void isAQueueThatIsNeverFullerThanItsCapacity() {
    new ModelCheckingOptions()
        .iterations(5)
        .invocationsPerIteration(50)
        .threads(2)
        .actorsPerThread(3)
        .actorsBefore(1)
        .actorsAfter(1)
        .logLevel(LoggingLevel.OFF)
        .sequentialSpecification(Queue.class)
        .check(Offered.class);
  }

  /** What is asked of the mailbox; made anew for each interleaving. */
  @Param(name = "element", gen = IntGen.class, conf = "1:9")
  public static final class Offered {
    private final Mailbox<Integer> mailbox = new Mailbox<>(CAPACITY);

    @Operation
    public boolean offer(@Param(name = "element") int element) {
      return mailbox.offer(element, _ -> false);
    }

    /** Woken before, so that it never waits: that it does, Lincheck takes for a deadlock. */
    @Operation(nonParallelGroup = "reader")
    public List<Integer> take() throws InterruptedException {
      mailbox.wake();
      return mailbox.take(2);
    }

    @Operation(nonParallelGroup = "reader")
    public List<Integer> drain() {
      return mailbox.drain();
    }

    @Operation
    public int size() {
      return mailbox.size();
    }
  }

  /** The same, one call after the other. */
  public static final class Queue {
    private final ArrayDeque<Integer> queue = new ArrayDeque<>();

    public boolean offer(int element) {
      return queue.size() < CAPACITY && queue.add(element);
    }

    public List<Integer> take() {
      return first(2);
    }

    public List<Integer> drain() {
      return first(CAPACITY);
    }

    public int size() {
      return queue.size();
    }

    private List<Integer> first(int most) {
      var taken = new ArrayList<Integer>();
      while (taken.size() < most && !queue.isEmpty()) {
        taken.add(queue.poll());
      }
      return taken;
    }
  }
}
