package io.fairlead.agent.probe;

import io.fairlead.agent.probe.ProbeResult.Failed;
import io.fairlead.agent.probe.ProbeResult.Passed;
import io.fairlead.runtime.GrpcChannels;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Asks a server for its health by grpc.health.v1, in plain text as the kubelet does. */
final class GrpcProbe {
  private GrpcProbe() {}

  /** Blocks for at most {@code timeout}. A connection of its own: an open one proves nothing. */
  static ProbeResult check(InetSocketAddress address, String service, Duration timeout) {
    var channel = GrpcChannels.direct(address);
    try {
      var status =
          HealthGrpc.newBlockingStub(channel)
              .withDeadlineAfter(timeout.toNanos(), TimeUnit.NANOSECONDS)
              .check(HealthCheckRequest.newBuilder().setService(service).build())
              .getStatus();
      return status == ServingStatus.SERVING
          ? new Passed("grpc SERVING")
          : new Failed("grpc " + status);
    } catch (StatusRuntimeException e) {
      return new Failed(words(e));
    } finally {
      channel.shutdownNow();
    }
  }

  /** Always the same for the same cause: it goes into the log. */
  private static String words(StatusRuntimeException e) {
    return switch (e.getStatus().getCode()) {
      case DEADLINE_EXCEEDED -> "timeout";
      case UNIMPLEMENTED -> "grpc UNIMPLEMENTED: no grpc.health.v1 there";
      case NOT_FOUND -> "grpc NOT_FOUND: no such service there";
      case UNAVAILABLE ->
          e.getStatus().getCause() instanceof ConnectException
              ? "connection refused"
              : "grpc UNAVAILABLE";
      default -> "grpc " + e.getStatus().getCode();
    };
  }
}
