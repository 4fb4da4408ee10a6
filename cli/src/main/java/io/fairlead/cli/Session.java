package io.fairlead.cli;

import io.fairlead.api.ErrorReport;
import io.fairlead.cli.ObjectsReader.Then;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.runtime.HostPort;
import io.fairlead.v1.EndpointSlicesGrpc;
import io.fairlead.v1.EndpointSlicesGrpc.EndpointSlicesBlockingStub;
import io.fairlead.v1.FeatureLevelsGrpc;
import io.fairlead.v1.FeatureLevelsGrpc.FeatureLevelsBlockingStub;
import io.fairlead.v1.LogGrpc;
import io.fairlead.v1.LogGrpc.LogBlockingStub;
import io.fairlead.v1.NamespacesGrpc;
import io.fairlead.v1.NamespacesGrpc.NamespacesBlockingStub;
import io.fairlead.v1.NodesGrpc;
import io.fairlead.v1.NodesGrpc.NodesBlockingStub;
import io.fairlead.v1.PodsGrpc;
import io.fairlead.v1.PodsGrpc.PodsBlockingStub;
import io.fairlead.v1.ReservationsGrpc;
import io.fairlead.v1.ReservationsGrpc.ReservationsBlockingStub;
import io.fairlead.v1.ServiceCidrsGrpc;
import io.fairlead.v1.ServiceCidrsGrpc.ServiceCidrsBlockingStub;
import io.fairlead.v1.ServiceEnvironmentsGrpc;
import io.fairlead.v1.ServiceEnvironmentsGrpc.ServiceEnvironmentsBlockingStub;
import io.fairlead.v1.ServicesGrpc;
import io.fairlead.v1.ServicesGrpc.ServicesBlockingStub;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.AbstractBlockingStub;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * The connections of one command. Calls are repeated while nobody answers, within the time-out, at
 * one replica after the other: the request, and so its id, stays the same, hence nothing is done
 * twice. Thread-safe.
 */
final class Session implements AutoCloseable {
  /** How long one attempt takes at most where there is no other replica. */
  private static final Duration ATTEMPT = Duration.ofSeconds(5);

  /** And where there is; more and more after attempts for which that did not suffice. */
  private static final Duration FIRST_ATTEMPT = Duration.ofSeconds(2);

  private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(2);

  /** However little time is left: as long as an answer that is on its way may take. */
  private static final Duration LEAST = Duration.ofMillis(500);

  /** Who answers. */
  enum Part {
    ALLOCATOR,
    ENDPOINTS
  }

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
  private final Map<List<HostPort>, Replicas> known;

  Session(Settings settings, Time time, RandomSource random) {
    this(settings, time, random, new ConcurrentHashMap<>());
  }

  private Session(
      Settings settings, Time time, RandomSource random, Map<List<HostPort>, Replicas> known) {
    this.settings = settings;
    this.time = time;
    this.random = random;
    this.known = known;
  }

  /**
   * The same connections, for calls that have that much time at most, and a moment at least. It
   * need not be closed.
   */
  Session within(Duration left) {
    var least = left.compareTo(LEAST) < 0 ? LEAST : left;
    var timeout = least.compareTo(settings.timeout()) < 0 ? least : settings.timeout();
    return new Session(
        new Settings(settings.allocator(), settings.endpoints(), timeout), time, random, known);
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

  /** From 0 to below 1. */
  double chance() {
    return random.generator().nextDouble();
  }

  <R> R services(Function<ServicesBlockingStub, R> rpc) {
    return call(Part.ALLOCATOR, ServicesGrpc::newBlockingStub, rpc);
  }

  <R> R namespaces(Function<NamespacesBlockingStub, R> rpc) {
    return call(Part.ALLOCATOR, NamespacesGrpc::newBlockingStub, rpc);
  }

  <R> R pods(Function<PodsBlockingStub, R> rpc) {
    return call(Part.ENDPOINTS, PodsGrpc::newBlockingStub, rpc);
  }

  <R> R nodes(Function<NodesBlockingStub, R> rpc) {
    return call(Part.ENDPOINTS, NodesGrpc::newBlockingStub, rpc);
  }

  <R> R endpointSlices(Function<EndpointSlicesBlockingStub, R> rpc) {
    return call(Part.ENDPOINTS, EndpointSlicesGrpc::newBlockingStub, rpc);
  }

  <R> R environments(Function<ServiceEnvironmentsBlockingStub, R> rpc) {
    return call(Part.ENDPOINTS, ServiceEnvironmentsGrpc::newBlockingStub, rpc);
  }

  <R> R serviceCidrs(Function<ServiceCidrsBlockingStub, R> rpc) {
    return call(Part.ALLOCATOR, ServiceCidrsGrpc::newBlockingStub, rpc);
  }

  <R> R reservations(Function<ReservationsBlockingStub, R> rpc) {
    return call(Part.ALLOCATOR, ReservationsGrpc::newBlockingStub, rpc);
  }

  <R> R featureLevels(Function<FeatureLevelsBlockingStub, R> rpc) {
    return call(Part.ALLOCATOR, FeatureLevelsGrpc::newBlockingStub, rpc);
  }

  /** Of one replica, and of no other. */
  <R> R log(HostPort replica, Function<LogBlockingStub, R> rpc) {
    return call(replicas(List.of(replica)), LogGrpc::newBlockingStub, rpc);
  }

  /** Of whichever replica of endpoints-service answers. */
  <R> R log(Function<LogBlockingStub, R> rpc) {
    return call(Part.ENDPOINTS, LogGrpc::newBlockingStub, rpc);
  }

  private <S extends AbstractBlockingStub<S>, R> R call(
      Part part, Function<ManagedChannel, S> stub, Function<S, R> rpc) {
    return call(replicas(part), stub, rpc);
  }

  private Replicas replicas(Part part) {
    return replicas(
        switch (part) {
          case ALLOCATOR -> settings.allocator();
          case ENDPOINTS -> settings.endpoints();
        });
  }

  private Replicas replicas(List<HostPort> addresses) {
    return known.computeIfAbsent(addresses, Replicas::new);
  }

  private <S extends AbstractBlockingStub<S>, R> R call(
      Replicas replicas, Function<ManagedChannel, S> stub, Function<S, R> rpc) {
    var retries = new Retries(replicas);
    var attempt = replicas.count() > 1 ? FIRST_ATTEMPT : ATTEMPT;
    Optional<StatusRuntimeException> said = Optional.empty();
    while (true) {
      int first = replicas.first();
      long limit = Math.max(1, Math.min(retries.left().toNanos(), attempt.toNanos()));
      try {
        return rpc.apply(
            stub.apply(replicas.channel(first)).withDeadlineAfter(limit, TimeUnit.NANOSECONDS));
      } catch (StatusRuntimeException e) {
        boolean tookTooLong = e.getStatus().getCode() == Code.DEADLINE_EXCEEDED;
        // An attempt that was cut short at the end says less than the answer before it.
        said = tookTooLong ? said : Optional.of(e);
        if (!(isTransient(e) || tookTooLong) || !retries.again(first)) {
          throw new CallFailedException(replicas.addresses(), said.orElse(e));
        }
        attempt = tookTooLong ? attempt.multipliedBy(2) : attempt;
      }
    }
  }

  private static boolean isTransient(StatusRuntimeException e) {
    var report = ErrorReport.of(e);
    return report.isTransient() || report.isLostConnection();
  }

  /** The log of all partitions, which endpoints-service has. */
  <M> void readLog(
      Function<LogBlockingStub, Iterator<M>> rpc, Runnable opened, Function<M, Then> reader) {
    read(Part.ENDPOINTS, LogGrpc::newBlockingStub, rpc, opened, reader);
  }

  /**
   * Reads a stream until it ends, the reader has enough, or this thread is interrupted. One that
   * breaks is opened again at the next replica, from its beginning, unless nobody answers for as
   * long as the time-out.
   *
   * @param opened called before each stream
   */
  <S extends AbstractBlockingStub<S>, M> void read(
      Part part,
      Function<ManagedChannel, S> stub,
      Function<S, Iterator<M>> rpc,
      Runnable opened,
      Function<M, Then> reader) {
    var replicas = replicas(part);
    var retries = new Retries(replicas);
    while (true) {
      int first = replicas.first();
      var context = Context.current().withCancellation();
      boolean told = false;
      try {
        opened.run();
        // the call is of this context: its end ends the call, which has no deadline
        var messages = context.call(() -> rpc.apply(stub.apply(replicas.channel(first))));
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
          retries = new Retries(replicas);
        }
        if (!isTransient(e) || !retries.again(first)) {
          throw new CallFailedException(replicas.addresses(), e);
        }
      } catch (RuntimeException e) {
        throw e;
      } catch (Exception e) {
        throw new IllegalStateException("opening a stream throws nothing checked", e);
      } finally {
        context.cancel(null);
      }
    }
  }

  /** Of one call: how long, and where next. */
  private final class Retries {
    private final Replicas replicas;
    private final long end = time.nanoTime() + settings.timeout().toNanos();
    private int failures;
    private Duration pause = FIRST_PAUSE;

    Retries(Replicas replicas) {
      this.replicas = replicas;
    }

    Duration left() {
      return Duration.ofNanos(end - time.nanoTime());
    }

    /** Turns to the next replica; pauses before the first of them is asked again. */
    boolean again(int failed) {
      failures++;
      boolean all = failures % replicas.count() == 0;
      if (left().compareTo(all ? pause : Duration.ZERO) <= 0) {
        return false;
      }
      if (all) {
        sleep(pause);
        pause = longer(pause);
      }
      replicas.next(failed);
      return true;
    }

    private static Duration longer(Duration pause) {
      var twice = pause.multipliedBy(2);
      return twice.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : twice;
    }
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

  @Override
  public void close() {
    known.values().forEach(Replicas::close);
  }
}
