package io.fairlead.decider;

import java.util.concurrent.CompletableFuture;

/** Something that waits for an owner's answer. */
sealed interface Pending<C, R> {
  void refuse(Refused why);

  /** Whether nobody waits for the answer any more. */
  boolean isWithdrawn();

  /**
   * A request.
   *
   * @param sinceNanos since when it waits
   */
  record Ask<C, R>(Request<C> request, CompletableFuture<Answer<R>> answer, long sinceNanos)
      implements Pending<C, R> {
    @Override
    public void refuse(Refused why) {
      answer.complete(why.answer());
    }

    @Override
    public boolean isWithdrawn() {
      return answer.isDone();
    }
  }

  record Confirm<C, R>(CompletableFuture<Answer<Decider.Confirmed>> answer)
      implements Pending<C, R> {
    @Override
    public void refuse(Refused why) {
      answer.complete(why.answer());
    }

    @Override
    public boolean isWithdrawn() {
      return answer.isDone();
    }
  }
}
