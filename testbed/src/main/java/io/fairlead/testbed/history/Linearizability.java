package io.fairlead.testbed.history;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Decides whether calls of concurrent clients can be put into one order that a {@link Model} allows
 * and that keeps every call between its invocation and its answer. The search is that of Wing and
 * Gong ("Testing and verifying concurrent objects", 1993) with the memory of configurations of Lowe
 * ("Testing for linearizability", 2017): a configuration is the set of calls that took effect and
 * the state that they led to. Exponential in the worst case: split a history by key before (it is
 * linearizable if and only if it is for each of its objects, Herlihy and Wing 1990).
 *
 * <p>A call whose outcome nobody knows may have taken effect at any time after its invocation, also
 * later than the end of the history, or never: it may be left out of the order.
 */
public final class Linearizability {
  private Linearizability() {}

  /**
   * What a correct object does, one call after the other.
   *
   * @param <S> state: immutable, with equals
   * @param <O> a call with what was answered
   */
  public interface Model<S, O> {
    S initial();

    /**
     * The state after the call; empty where it cannot be answered so in this state. Of an unknown
     * outcome: the state after its effect, the same state where it would have none.
     */
    Optional<S> step(S state, O operation);
  }

  /**
   * One call.
   *
   * @param invoked on any clock that all calls share
   * @param answered on the same; empty: the outcome is unknown
   */
  public record Call<O>(O operation, long invoked, OptionalLong answered) {
    public Call {
      if (answered.isPresent() && answered.getAsLong() < invoked) {
        throw new IllegalArgumentException("answered before it was invoked: " + operation);
      }
    }
  }

  /** What came of the search. */
  public sealed interface Verdict<O> {
    /**
     * There is such an order.
     *
     * @param order one of them, without the calls that are left out
     */
    record Linearizable<O>(List<Call<O>> order) implements Verdict<O> {}

    /**
     * No order explains the answers.
     *
     * @param longest an order of as many calls as could be explained
     * @param next the calls of which one had to follow, and none could
     */
    record Impossible<O>(List<Call<O>> longest, List<Call<O>> next) implements Verdict<O> {}

    /** Given up. */
    record Undecided<O>(int steps) implements Verdict<O> {}
  }

  /**
   * Searches.
   *
   * @param calls in any order
   * @param steps after how many configurations it gives up
   */
  public static <S, O> Verdict<O> check(Model<S, O> model, List<Call<O>> calls, int steps) {
    return new Search<>(model, calls, steps).run();
  }

  private record Configuration<S>(BitSet done, S state) {}

  /** One configuration on the way that is tried, and which calls were tried next. */
  private static final class Frame<S> {
    final S state;

    /** Which call led here; -1 at the beginning. */
    final int taken;

    final List<Integer> candidates;
    int tried;

    Frame(S state, int taken, List<Integer> candidates) {
      this.state = state;
      this.taken = taken;
      this.candidates = candidates;
    }
  }

  private static final class Search<S, O> {
    private final Model<S, O> model;
    private final List<Call<O>> calls;
    private final int steps;
    private final BitSet done = new BitSet();
    private final HashSet<Configuration<S>> seen = new HashSet<>();
    private final ArrayDeque<Frame<S>> way = new ArrayDeque<>();
    private List<Integer> longest = List.of();
    private List<Integer> stuck = List.of();

    /** Answered calls that are not done. */
    private int open;

    Search(Model<S, O> model, List<Call<O>> calls, int steps) {
      this.model = model;
      this.steps = steps;
      this.calls = calls.stream().sorted(Comparator.<Call<O>>comparingLong(Call::invoked)).toList();
      this.open = (int) calls.stream().filter(call -> call.answered().isPresent()).count();
    }

    Verdict<O> run() {
      enter(model.initial(), -1);
      while (!way.isEmpty()) {
        if (open == 0) {
          return new Verdict.Linearizable<>(calls(order()));
        }
        if (seen.size() > steps) {
          return new Verdict.Undecided<>(seen.size());
        }
        var frame = way.getLast();
        if (frame.tried == frame.candidates.size()) {
          leave();
        } else {
          attempt(frame, frame.candidates.get(frame.tried++));
        }
      }
      return new Verdict.Impossible<>(calls(longest), calls(stuck));
    }

    private void attempt(Frame<S> frame, int index) {
      var call = calls.get(index);
      var next = model.step(frame.state, call.operation());
      if (next.isEmpty()) {
        return;
      }
      boolean answered = call.answered().isPresent();
      if (!answered && next.get().equals(frame.state)) {
        return; // the same as leaving it out
      }
      done.set(index);
      if (!seen.add(new Configuration<>((BitSet) done.clone(), next.get()))) {
        done.clear(index);
        return;
      }
      open -= answered ? 1 : 0;
      enter(next.get(), index);
    }

    private void enter(S state, int taken) {
      var candidates = candidates();
      way.addLast(new Frame<>(state, taken, candidates));
      if (way.size() - 1 > longest.size() || stuck.isEmpty()) {
        longest = order();
        stuck = candidates;
      }
    }

    private void leave() {
      int taken = way.removeLast().taken;
      if (taken >= 0) {
        done.clear(taken);
        open += calls.get(taken).answered().isPresent() ? 1 : 0;
      }
    }

    /**
     * Calls that may be next: those that were invoked before any other of the rest was answered. Of
     * unknown outcomes last, since most histories do without them.
     */
    private List<Integer> candidates() {
      long horizon = Long.MAX_VALUE;
      var known = new ArrayList<Integer>();
      var unknown = new ArrayList<Integer>();
      for (int i = done.nextClearBit(0); i < calls.size(); i = done.nextClearBit(i + 1)) {
        var call = calls.get(i);
        if (call.invoked() > horizon) {
          break; // and so are all after it
        }
        horizon = Math.min(horizon, call.answered().orElse(Long.MAX_VALUE));
        (call.answered().isPresent() ? known : unknown).add(i);
      }
      known.addAll(unknown);
      return known;
    }

    private List<Integer> order() {
      return way.stream().map(frame -> frame.taken).filter(taken -> taken >= 0).toList();
    }

    private List<Call<O>> calls(List<Integer> indexes) {
      return indexes.stream().map(calls::get).toList();
    }
  }
}
