package io.fairlead.decider;

import io.fairlead.decider.Feed.State;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Function;

/** An answer that writes nothing and is known before anything is decided. */
record Reading(Consumer<State> answer, Consumer<Refused> refuse) {
  static Reading confirmation(CompletableFuture<Answer<Decider.Confirmed>> answer) {
    return new Reading(
        state ->
            answer.complete(
                new Answer.Decided<>(
                    new Decider.Confirmed(state.image(), state.position()), state.position())),
        why -> answer.complete(why.answer()));
  }

  static <C, R> Reading of(Pending.Ask<C, R> ask, Function<State, Answer<R>> answer) {
    return new Reading(
        state -> {
          try {
            ask.answer().complete(answer.apply(state));
          } catch (RuntimeException e) { // the logic's
            ask.answer().completeExceptionally(e);
          }
        },
        ask::refuse);
  }
}
