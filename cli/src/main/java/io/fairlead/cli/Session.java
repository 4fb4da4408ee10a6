package io.fairlead.cli;

import io.fairlead.api.ErrorReport;
import io.fairlead.cli.ObjectsReader.Then;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.runtime.GrpcChannels;
import io.fairlead.runtime.HostPort;
import io.fairlead.v1.EndpointSlicesGrpc;
import io.fairlead.v1.EndpointSlicesGrpc.EndpointSlicesBlockingStub;
import io.fairlead.v1.LogGrpc;
import io.fairlead.v1.LogGrpc.LogBlockingStub;
import io.fairlead.v1.NamespacesGrpc;
import io.fairlead.v1.NamespacesGrpc.NamespacesBlockingStub;
import io.fairlead.v1.NodesGrpc;
import io.fairlead.v1.NodesGrpc.NodesBlockingStub;
import io.fairlead.v1.PodsGrpc;
import io.fairlead.v1.PodsGrpc.PodsBlockingStub;
import io.fairlead.v1.ServiceCidrsGrpc;
import io.fairlead.v1.ServiceCidrsGrpc.ServiceCidrsBlockingStub;
import io.fairlead.v1.ServicesGrpc;
import io.fairlead.v1.ServicesGrpc.ServicesBlockingStub;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.AbstractBlockingStub;
import java.time.Duration;
import java.util.HashMap;
import java.util.Iterator;
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

  <R> R namespaces(Function<NamespacesBlockingStub, R> rpc) {
    return call(settings.allocator(), NamespacesGrpc::newBlockingStub, rpc);
  }

  <R> R endpointSlices(Function<EndpointSlicesBlockingStub, R> rpc) {
    return call(settings.endpoints(), EndpointSlicesGrpc::newBlockingStub, rpc);
  }

  <R> R serviceCidrs(Function<ServiceCidrsBlockingStub, R> rpc) {
    return call(settings.allocator(), ServiceCidrsGrpc::newBlockingStub, rpc);
  }

  <M> void readServiceCidrs(
      Function<ServiceCidrsBlockingStub, Iterator<M>> rpc,
      Runnable opened,
      Function<M, Then> reader) {
    read(settings.allocator(), ServiceCidrsGrpc::newBlockingStub, rpc, opened, reader);
  }

  <M> void watchServices(
      Function<ServicesBlockingStub, Iterator<M>> rpc, Runnable opened, Function<M, Then> reader) {
    read(settings.allocator(), ServicesGrpc::newBlockingStub, rpc, opened, reader);
  }

  <M> void watchPods(
      Function<PodsBlockingStub, Iterator<M>> rpc, Runnable opened, Function<M, Then> reader) {
    read(settings.endpoints(), PodsGrpc::newBlockingStub, rpc, opened, reader);
  }

  <M> void watchNodes(
      Function<NodesBlockingStub, Iterator<M>> rpc, Runnable opened, Function<M, Then> reader) {
    read(settings.endpoints(), NodesGrpc::newBlockingStub, rpc, opened, reader);
  }

  <M> void watchEndpointSlices(
      Function<EndpointSlicesBlockingStub, Iterator<M>> rpc,
      Runnable opened,
      Function<M, Then> reader) {
    read(settings.endpoints(), EndpointSlicesGrpc::newBlockingStub, rpc, opened, reader);
  }

  /** The log of all partitions, which endpoints-service has. */
  <M> void readLog(
      Function<LogBlockingStub, Iterator<M>> rpc, Runnable opened, Function<M, Then> reader) {
    read(settings.endpoints(), LogGrpc::newBlockingStub, rpc, opened, reader);
  }

  /**
   * Reads a stream until it ends, the reader has enough, or this thread is interrupted. One that
   * breaks is opened again, from its beginning, unless nobody answers for as long as the time-out.
   *
   * @param opened called before each stream
   */
  private <S extends AbstractBlockingStub<S>, M> void read(
      List<HostPort> addresses,
      Function<ManagedChannel, S> stub,
      Function<S, Iterator<M>> rpc,
      Runnable opened,
      Function<M, Then> reader) {
    var channel = channels.computeIfAbsent(addresses, this::connect);
    long end = time.nanoTime() + settings.timeout().toNanos();
    var pause = FIRST_PAUSE;
    while (true) {
      var context = Context.current().withCancellation();
      boolean told = false;
      try {
        opened.run();
        // the call is of this context: its end ends the call, which has no deadline
        var messages = context.call(() -> rpc.apply(stub.apply(channel)));
        while (messages.hasNext()) {
          if (reader.apply(messages.next()) == Then.ENOUGH) {
            return;
          }
          told = true;
        }
        return;
      } catch (StatusRuntimeException e) {
        if (Thread.currentThread().isInterrupted()) {
          return;
        }
        if (told) { // somebody was there until now, however long there was nothing to say
          end = time.nanoTime() + settings.timeout().toNanos();
          pause = FIRST_PAUSE;
        }
        if (!ErrorReport.of(e).isTransient() || time.nanoTime() + pause.toNanos() >= end) {
          throw new CallFailedException(addresses, e);
        }
      } catch (RuntimeException e) {
        throw e;
      } catch (Exception e) {
        throw new IllegalStateException("opening a stream throws nothing checked", e);
      } finally {
        context.cancel(null);
      }
      sleep(pause);
      pause = longer(pause);
      channel.resetConnectBackoff();
    }
  }

  private static Duration longer(Duration pause) {
    var twice = pause.multipliedBy(2);
    return twice.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : twice;
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
      pause = longer(pause);
      channel.resetConnectBackoff();
    }
  }

  private static boolean isWorthAnother(StatusRuntimeException e) {
    // A deadline that passed says that this attempt took too long; whether there is time for more
    // the caller knows.
    return ErrorReport.of(e).isTransient() || e.getStatus().getCode() == Code.DEADLINE_EXCEEDED;
  }

  /** Between two looks at something that nobody tells of. */
  void sleep(Duration pause) {
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
