package io.fairlead.agent.client;

import io.fairlead.agent.probe.CommandOutput;
import io.fairlead.agent.probe.Commands;
import io.fairlead.agent.probe.ProbeResult;
import io.fairlead.agent.probe.ProbeResult.Failed;
import io.fairlead.agent.probe.ProbeResult.NotMade;
import io.fairlead.core.model.Pod;
import io.fairlead.runtime.GrpcChannels;
import io.fairlead.runtime.HostPort;
import io.fairlead.v1.ExecReply;
import io.fairlead.v1.ExecRequest;
import io.fairlead.v1.ExecStart;
import io.fairlead.v1.PodRuntimeGrpc;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * Programs in the place of a container, run by what runs that: {@code PodRuntime.Exec}. When the
 * time is up the call is cancelled, and the program is killed there. Any thread.
 */
public final class RuntimeCommands implements Commands, AutoCloseable {
  private final ManagedChannel channel;

  public RuntimeCommands(HostPort address) {
    this.channel = GrpcChannels.of(List.of(address));
  }

  @Override
  public ProbeResult run(Pod pod, Pod.Container container, List<String> command, Duration timeout)
      throws InterruptedException {
    var session = new Session();
    var requests =
        PodRuntimeGrpc.newStub(channel)
            .withDeadlineAfter(timeout.toNanos(), TimeUnit.NANOSECONDS)
            .exec(session);
    requests.onNext(
        ExecRequest.newBuilder()
            .setStart(
                ExecStart.newBuilder()
                    .setNamespace(pod.name().namespace())
                    .setPod(pod.name().name())
                    .setContainer(container.name())
                    .addAllCommand(command))
            .build());
    try {
      var result = session.result.get();
      requests.onCompleted();
      return result;
    } catch (ExecutionException e) {
      throw new IllegalStateException(e); // it is only ever completed
    } catch (InterruptedException e) {
      requests.onError(Status.CANCELLED.asRuntimeException());
      throw e;
    }
  }

  /** One program. */
  private static final class Session implements StreamObserver<ExecReply> {
    private final CompletableFuture<ProbeResult> result = new CompletableFuture<>();
    private final CommandOutput output = new CommandOutput();
    private volatile OptionalInt code = OptionalInt.empty();

    @Override
    public void onNext(ExecReply reply) {
      switch (reply.getMessageCase()) {
        case STDOUT -> output.add(reply.getStdout().toByteArray(), reply.getStdout().size());
        case STDERR -> output.add(reply.getStderr().toByteArray(), reply.getStderr().size());
        case EXIT_CODE -> code = OptionalInt.of(reply.getExitCode());
        case MESSAGE_NOT_SET -> {} // of a newer server
      }
    }

    @Override
    public void onError(Throwable cause) {
      var status = Status.fromThrowable(cause);
      result.complete(
          status.getCode() == Status.Code.DEADLINE_EXCEEDED
              ? new Failed("timeout")
              : new NotMade("PodRuntime: " + status.getCode() + " " + status.getDescription()));
    }

    @Override
    public void onCompleted() {
      result.complete(
          code.isPresent()
              ? output.ended(code.getAsInt())
              : new NotMade("PodRuntime did not say how the program ended"));
    }
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }
}
