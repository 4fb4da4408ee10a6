package io.fairlead.allocator.grpc;

import io.fairlead.api.ErrorReport;
import io.fairlead.api.Errors;
import io.fairlead.api.Reason;
import io.fairlead.core.decide.DryRun;
import io.fairlead.core.decide.Refusal;
import io.fairlead.core.decide.ServiceCommand;
import io.fairlead.core.decide.ServiceOutcome;
import io.fairlead.core.decide.ServicesDecider;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Service;
import io.fairlead.decider.Answer;
import io.fairlead.decider.grpc.Caller;
import io.fairlead.v1.DeleteServiceRequest;
import io.fairlead.v1.ServiceReply;
import io.fairlead.v1.ServicesGrpc;
import io.grpc.Context;
import io.grpc.StatusRuntimeException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;

/**
 * Deletes all Services of a namespace, each by a request and a record of its own, so that each
 * frees its addresses as any other deletion does. A request that is sent again deletes what the one
 * before it did not.
 */
final class NamespaceCascade {
  /** So many at a time share the owner's transactions, and leave room for others in its queue. */
  private static final int AT_ONCE = 64;

  private final Changes changes;
  private final DryRun dryRun;

  NamespaceCascade(Changes changes, DryRun dryRun) {
    this.changes = changes;
    this.dryRun = dryRun;
  }

  /**
   * @param services as they were found; one that was made anew since is left alone
   * @param requestId of the request that all this is for
   * @return how many were deleted
   * @throws StatusRuntimeException what became of one of them; others may be deleted
   */
  int delete(
      Collection<Versioned<Service>> services, String requestId, Caller caller, Duration timeout) {
    for (var service : services) {
      if (service.object().name().equals(ServicesDecider.CONTROL_PLANE)) { // before any is gone
        throw Errors.refused(
            new Refusal.NotYours(
                service.object().key(), "the control plane's own Service cannot be deleted"));
      }
    }
    var room = new Semaphore(AT_ONCE);
    var calls = new ArrayList<Callable<Boolean>>();
    for (var service : services) {
      calls.add(
          Context.current()
              .wrap(() -> {
                room.acquire();
                try {
                  return delete(service.object(), requestId, caller, timeout);
                } finally {
                  room.release();
                }
              }));
    }
    int deleted = 0;
    Optional<StatusRuntimeException> failure = Optional.empty();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (var one : threads.invokeAll(calls)) {
        try {
          deleted += one.get() ? 1 : 0;
        } catch (ExecutionException e) {
          failure = Optional.of(Errors.of(e.getCause() == null ? e : e.getCause()));
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw Errors.outcomeUnknown("interrupted while the Services were deleted");
    }
    if (failure.isPresent()) {
      throw failure.get();
    }
    return deleted;
  }

  /** Whether it was there to be deleted. */
  private boolean delete(Service service, String requestId, Caller caller, Duration timeout) {
    var message =
        DeleteServiceRequest.newBuilder()
            .setRequestId(derived(requestId, service.uid().toString()))
            .setNamespace(service.name().namespace())
            .setName(service.name().name())
            .setUid(service.uid().toString())
            .setDryRun(dryRun == DryRun.YES)
            .build();
    var command = new ServiceCommand.Delete(service.name(), message.getUid(), "", dryRun);
    try {
      var _ =
          changes.call(
              ServicesGrpc.getDeleteMethod(),
              message,
              command,
              NamespaceCascade::reply,
              caller,
              timeout);
      return true;
    } catch (StatusRuntimeException e) {
      var reason = ErrorReport.of(e).reason();
      if (reason.equals(Optional.of(Reason.NOT_FOUND))
          || reason.equals(Optional.of(Reason.STALE_VERSION))) {
        return false; // gone already, or another one of its name
      }
      throw e;
    }
  }

  private static ServiceReply reply(Answer.Decided<ServiceOutcome> decided) {
    if (decided.reply() instanceof ServiceOutcome.Refused(var refusal)) {
      throw Errors.refused(refusal);
    }
    return ServiceReply.getDefaultInstance(); // nobody reads more of it
  }

  /** The same for the same request and object, so that a request that is sent again is known. */
  static String derived(String requestId, String of) {
    return UUID.nameUUIDFromBytes((requestId + '\n' + of).getBytes(StandardCharsets.UTF_8))
        .toString();
  }
}
