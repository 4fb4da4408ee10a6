package io.fairlead.cli;

import io.fairlead.api.ErrorReport;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.runtime.GrpcChannels;
import io.fairlead.runtime.HostPort;
import io.fairlead.v1.LogGrpc;
import io.fairlead.v1.LogGrpc.LogBlockingStub;
import io.fairlead.v1.NodesGrpc;
import io.fairlead.v1.NodesGrpc.NodesBlockingStub;
import io.fairlead.v1.PodsGrpc;
import io.fairlead.v1.PodsGrpc.PodsBlockingStub;
import io.fairlead.v1.ServicesGrpc;
import io.fairlead.v1.ServicesGrpc.ServicesBlockingStub;
import io.grpc.ManagedChannel;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.AbstractBlockingStub;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * The connections of one command. Calls are repeated while nobody answers, within the time-out: the
 * request, and so its id, stays the same, hence nothing is done twice. Used by one thread.
 */
final class Session implements AutoCloseable {
  /** A replica that hangs must not use the whole time-out up. */
  private static final Duration ATTEMPT = Duration.ofSeconds(5);

  private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(2);

  /**
   * @param timeout of each call, repetitions included
   */
  record Settings(List<HostPort> allocator, List<HostPort> endpoints, Duration timeout) {
    Settings {
      allocator = List.copyOf(allocator);
      endpoints = List.copyOf(endpoints);
    }
  }

  private final Settings settings;
  private final Time time;
  private final RandomSource random;
  private final Map<List<HostPort>, ManagedChannel> channels = new HashMap<>();

  Session(Settings settings, Time time, RandomSource random) {
    this.settings = settings;
    this.time = time;
    this.random = random;
  }

  Settings settings() {
    return settings;
  }

  Time time() {
    return time;
  }

  String requestId() {
    return random.uuid().toString();
  }

  <R> R services(Function<ServicesBlockingStub, R> rpc) {
    return call(settings.allocator(), ServicesGrpc::newBlockingStub, rpc);
  }

  <R> R pods(Function<PodsBlockingStub, R> rpc) {
    return call(settings.endpoints(), PodsGrpc::newBlockingStub, rpc);
  }

  <R> R nodes(Function<NodesBlockingStub, R> rpc) {
    return call(settings.endpoints(), NodesGrpc::newBlockingStub, rpc);
  }

  /** Of one replica, and of no other. */
  <R> R log(HostPort replica, Function<LogBlockingStub, R> rpc) {
    return call(List.of(replica), LogGrpc::newBlockingStub, rpc);
  }

  private <S extends AbstractBlockingStub<S>, R> R call(
      List<HostPort> addresses, Function<ManagedChannel, S> stub, Function<S, R> rpc) {
    var channel = channels.computeIfAbsent(addresses, this::connect);
    long end = time.nanoTime() + settings.timeout().toNanos();
    var pause = FIRST_PAUSE;
    Optional<StatusRuntimeException> said = Optional.empty();
    while (true) {
      long attempt = Math.max(1, Math.min(end - time.nanoTime(), ATTEMPT.toNanos()));
      try {
        return rpc.apply(stub.apply(channel).withDeadlineAfter(attempt, TimeUnit.NANOSECONDS));
      } catch (StatusRuntimeException e) {
        // An attempt that was cut short at the end says less than the answer before it.
        said = e.getStatus().getCode() == Code.DEADLINE_EXCEEDED ? said : Optional.of(e);
        if (!isWorthAnother(e) || time.nanoTime() + pause.toNanos() >= end) {
          throw new CallFailedException(addresses, said.orElse(e));
        }
      }
      sleep(pause);
      pause = pause.multipliedBy(2);
      pause = pause.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : pause;
      channel.resetConnectBackoff();
    }
  }

  private static boolean isWorthAnother(StatusRuntimeException e) {
    // A deadline that passed says that this attempt took too long; whether there is time for more
    // the caller knows.
    return ErrorReport.of(e).isTransient() || e.getStatus().getCode() == Code.DEADLINE_EXCEEDED;
  }

  private void sleep(Duration pause) {
    try {
      time.sleep(pause);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw new CliException("error: interrupted");
    }
  }

  private ManagedChannel connect(List<HostPort> addresses) {
    return GrpcChannels.of(addresses, GrpcChannels.Spread.FIRST);
  }

  @Override
  public void close() {
    channels.values().forEach(channel -> GrpcChannels.close(channel, Duration.ofSeconds(1)));
  }
}
