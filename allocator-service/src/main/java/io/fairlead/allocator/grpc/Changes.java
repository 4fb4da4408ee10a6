package io.fairlead.allocator.grpc;

import com.google.protobuf.Message;
import io.fairlead.core.decide.DryRun;
import io.fairlead.core.decide.ServiceCommand;
import io.fairlead.core.decide.ServiceOutcome;
import io.fairlead.core.model.LogPartition;
import io.fairlead.decider.Answer;
import io.fairlead.decider.grpc.Caller;
import io.fairlead.decider.grpc.OwnerForwarding;
import io.fairlead.decider.grpc.OwnerForwarding.Call;
import io.fairlead.decider.grpc.Reads;
import io.fairlead.decider.grpc.RequestStamps;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.function.Function;

/**
 * Requests that change something: each goes, under its id, to the owner of the services partition.
 * Blocks, for virtual threads.
 */
final class Changes {
  private final OwnerForwarding<ServiceCommand, ServiceOutcome> owner;
  private final Reads reads;

  Changes(OwnerForwarding<ServiceCommand, ServiceOutcome> owner, Reads reads) {
    this.owner = owner;
    this.reads = reads;
  }

  /** How requests say it. */
  static DryRun dryRun(boolean asked) {
    return asked ? DryRun.YES : DryRun.NO;
  }

  /**
   * Answers a call.
   *
   * @param reply from what was decided here; may throw a status
   * @throws StatusRuntimeException INVALID: there is no id; what {@link OwnerForwarding#call} says
   */
  <Q extends Message, P> void answer(
      MethodDescriptor<Q, P> method,
      Q message,
      ServiceCommand command,
      Function<Answer.Decided<ServiceOutcome>, P> reply,
      StreamObserver<P> replies) {
    replies.onNext(call(method, message, command, reply, Caller.current(), reads.left()));
    replies.onCompleted();
  }

  /** The same, for a caller who is not on this thread. */
  <Q extends Message, P> P call(
      MethodDescriptor<Q, P> method,
      Q message,
      ServiceCommand command,
      Function<Answer.Decided<ServiceOutcome>, P> reply,
      Caller caller,
      Duration timeout) {
    var request = RequestStamps.request(caller, method, message, command);
    return owner.call(
        new Call<>(LogPartition.SERVICES, request, method, message, reply), caller, timeout);
  }
}
