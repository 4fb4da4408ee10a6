package io.fairlead.testbed.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fairlead.testbed.history.Linearizability.Call;
import io.fairlead.testbed.history.Linearizability.Model;
import io.fairlead.testbed.history.Linearizability.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
final class LinearizabilityTest {
  private static final int STEPS = 100_000;

  /** Of one register of numbers that begins with 0. */
  private sealed interface Op {
    record Write(int value) implements Op {}

    /**
     * @param before what it must find; empty result: unknown
     */
    record Swap(int before, int after, Optional<Boolean> done) implements Op {}

    record Read(int value) implements Op {}
  }

  private static final Model<Integer, Op> REGISTER =
      new Model<>() {
        @Override
        public Integer initial() {
          return 0;
        }

        @Override
        public Optional<Integer> step(Integer state, Op operation) {
          return switch (operation) {
            case Op.Write(int value) -> Optional.of(value);
            case Op.Read(int value) -> value == state ? Optional.of(state) : Optional.empty();
            case Op.Swap(int before, int after, var done) ->
                done.isPresent() && done.get() != (before == state)
                    ? Optional.empty()
                    : Optional.of(before == state ? after : state);
          };
        }
      };

  private static Call<Op> call(Op operation, long invoked, long answered) {
    return new Call<>(operation, invoked, OptionalLong.of(answered));
  }

  private static Call<Op> write(int value, long invoked, long answered) {
    return call(new Op.Write(value), invoked, answered);
  }

  private static Call<Op> read(int value, long invoked, long answered) {
    return call(new Op.Read(value), invoked, answered);
  }

  private static Call<Op> lostWrite(int value, long invoked) {
    return new Call<>(new Op.Write(value), invoked, OptionalLong.empty());
  }

  record Case(String name, boolean linearizable, List<Call<Op>> calls) {
    @Override
    public String toString() {
      return name;
    }
  }

  @SafeVarargs
  @SuppressWarnings("varargs") // handed on to List.of only
  private static Case fine(String name, Call<Op>... calls) {
    return new Case(name, true, List.of(calls));
  }

  @SafeVarargs
  @SuppressWarnings("varargs") // handed on to List.of only
  private static Case wrong(String name, Call<Op>... calls) {
    return new Case(name, false, List.of(calls));
  }

  static Stream<Case> histories() {
    return Stream.of(
        fine("nothing happened"),
        fine("one after the other", write(1, 0, 1), read(1, 2, 3)),
        wrong("a stale read", write(1, 0, 1), read(0, 2, 3)),
        fine("a read beside a write sees the old", write(1, 0, 10), read(0, 2, 3)),
        fine("a read beside a write sees the new", write(1, 0, 10), read(1, 2, 3)),
        wrong(
            "two reads beside a write see the new, then the old",
            write(1, 0, 10),
            read(1, 2, 3),
            read(0, 4, 5)),
        fine(
            "two reads beside a write see the old, then the new",
            write(1, 0, 10),
            read(0, 2, 3),
            read(1, 4, 5)),
        wrong("a value that nobody wrote", write(1, 0, 1), read(7, 0, 3)),
        wrong(
            "two readers see two writes in two orders",
            write(1, 0, 10),
            write(2, 0, 10),
            read(1, 11, 12),
            read(2, 13, 14)),
        fine(
            "a read that overlaps both of two writes",
            write(1, 0, 10),
            write(2, 5, 15),
            read(1, 12, 13),
            read(2, 16, 17)),
        fine("calls that touch overlap", write(1, 0, 5), read(0, 5, 6)),
        fine("a lost write took effect", lostWrite(1, 0), read(1, 5, 6)),
        fine("a lost write never took effect", lostWrite(1, 0), read(0, 5, 6)),
        fine("a lost write takes effect late", lostWrite(1, 0), read(0, 5, 6), read(1, 7, 8)),
        wrong(
            "a lost write does not take effect twice",
            lostWrite(1, 0),
            read(1, 5, 6),
            write(2, 7, 8),
            read(2, 9, 10),
            read(1, 11, 12)),
        wrong(
            "a lost write does not take effect before it was asked",
            read(1, 0, 1),
            lostWrite(1, 2)),
        fine(
            "of two lost writes one took effect",
            lostWrite(1, 0),
            lostWrite(2, 0),
            read(2, 5, 6),
            read(2, 7, 8)),
        wrong(
            "of two who swap the same value one wins",
            call(new Op.Swap(0, 1, Optional.of(true)), 0, 10),
            call(new Op.Swap(0, 2, Optional.of(true)), 0, 10)),
        fine(
            "who lost a swap was later",
            call(new Op.Swap(0, 1, Optional.of(true)), 0, 10),
            call(new Op.Swap(0, 2, Optional.of(false)), 0, 10)),
        fine(
            "a lost swap explains that another failed",
            new Call<>(new Op.Swap(0, 1, Optional.empty()), 0, OptionalLong.empty()),
            call(new Op.Swap(0, 2, Optional.of(false)), 3, 10),
            read(1, 11, 12)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("histories")
  void decidesKnownHistories(Case given) {
    var verdict = Linearizability.check(REGISTER, given.calls(), STEPS);
    if (given.linearizable()) {
      assertThat(verdict).isInstanceOf(Verdict.Linearizable.class);
    } else {
      assertThat(verdict).isInstanceOf(Verdict.Impossible.class);
    }
  }

  /** Against trying all orders of all subsets that may be left out, on histories that are small. */
  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4})
  void agreesWithTryingEverything(long seed) {
    var random = new Random(seed);
    int linearizable = 0;
    int rounds = 1_500;
    for (int round = 0; round < rounds; round++) {
      var calls = random(random);
      boolean expected = tryEverything(calls, new ArrayList<>(), 0);
      var verdict = Linearizability.check(REGISTER, calls, STEPS);
      assertThat(verdict instanceof Verdict.Linearizable<Op>).as("%s", calls).isEqualTo(expected);
      linearizable += expected ? 1 : 0;
    }
    assertThat(linearizable).isBetween(rounds / 10, rounds * 9 / 10); // both are tried
  }

  private static List<Call<Op>> random(Random random) {
    var calls = new ArrayList<Call<Op>>();
    int count = 1 + random.nextInt(6);
    for (int i = 0; i < count; i++) {
      long invoked = random.nextInt(12);
      boolean lost = random.nextInt(5) == 0;
      int value = random.nextInt(3);
      Op operation =
          switch (random.nextInt(3)) {
            case 0 -> new Op.Write(value);
            case 1 -> new Op.Read(value);
            default ->
                new Op.Swap(
                    value,
                    random.nextInt(3),
                    lost ? Optional.empty() : Optional.of(random.nextBoolean()));
          };
      boolean known = !lost || operation instanceof Op.Read;
      calls.add(
          new Call<>(
              operation,
              invoked,
              known ? OptionalLong.of(invoked + random.nextInt(6)) : OptionalLong.empty()));
    }
    return calls;
  }

  private static boolean tryEverything(List<Call<Op>> rest, List<Call<Op>> order, int state) {
    if (rest.stream().allMatch(call -> call.answered().isEmpty())) {
      return true;
    }
    for (var next : rest) {
      boolean tooEarly =
          rest.stream().anyMatch(other -> other.answered().orElse(Long.MAX_VALUE) < next.invoked());
      var after = REGISTER.step(state, next.operation());
      if (tooEarly || after.isEmpty()) {
        continue;
      }
      var others = new ArrayList<>(rest);
      others.remove(rest.indexOf(next));
      order.add(next);
      if (tryEverything(others, order, after.get())) {
        return true;
      }
      order.removeLast();
    }
    return false;
  }

  @Test
  void theOrderThatItFindsExplainsEverything() {
    var calls =
        List.of(write(1, 0, 10), write(2, 0, 10), lostWrite(3, 0), read(3, 4, 5), read(2, 6, 12));
    var verdict = Linearizability.check(REGISTER, calls, STEPS);
    assertThat(verdict).isInstanceOf(Verdict.Linearizable.class);
    int state = REGISTER.initial();
    var order = ((Verdict.Linearizable<Op>) verdict).order();
    for (var call : order) {
      state = REGISTER.step(state, call.operation()).orElseThrow();
    }
    assertThat(order).containsAll(calls.stream().filter(c -> c.answered().isPresent()).toList());
  }

  @Test
  void namesTheCallThatCannotBeExplained() {
    var stale = read(0, 4, 5);
    var verdict =
        Linearizability.check(REGISTER, List.of(write(1, 0, 1), read(1, 2, 3), stale), STEPS);
    assertThat(verdict)
        .isEqualTo(
            new Verdict.Impossible<>(List.of(write(1, 0, 1), read(1, 2, 3)), List.of(stale)));
  }

  /** Without memory of configurations this takes 2^20 ways. */
  @Test
  void remembersWhereItWas() {
    var calls = new ArrayList<Call<Op>>();
    for (int i = 0; i < 20; i++) {
      calls.add(write(1, 10L * i, 10L * i + 9));
      calls.add(write(1, 10L * i, 10L * i + 9));
    }
    calls.add(read(0, 500, 501));
    assertThat(Linearizability.check(REGISTER, calls, 200)).isInstanceOf(Verdict.Impossible.class);
  }

  @Test
  void givesUpWhenItIsTold() {
    var calls = new ArrayList<Call<Op>>();
    for (int i = 0; i < 12; i++) {
      calls.add(write(i, 0, 100));
    }
    calls.add(read(99, 200, 201));
    assertThat(Linearizability.check(REGISTER, calls, 50)).isInstanceOf(Verdict.Undecided.class);
  }

  @Test
  void refusesAnAnswerBeforeTheQuestion() {
    assertThatThrownBy(() -> read(1, 5, 4)).isInstanceOf(IllegalArgumentException.class);
  }
}
