package io.fairlead.testbed.story;

import io.fairlead.core.model.Kind;
import io.fairlead.core.model.Topic;
import io.fairlead.core.record.Envelope;
import io.fairlead.core.record.LogEvent;
import io.fairlead.testbed.cluster.Stores;
import io.fairlead.testbed.history.LogRecords;
import io.fairlead.v1.ApplyEndpointSliceRequest;
import io.fairlead.v1.ApplyPodRequest;
import io.fairlead.v1.Container;
import io.fairlead.v1.DeleteEndpointSliceRequest;
import io.fairlead.v1.DeletePodRequest;
import io.fairlead.v1.DrainPodRequest;
import io.fairlead.v1.EndpointSlice;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Pod;
import io.fairlead.v1.PodSpec;
import io.fairlead.v1.PodStatus;
import io.fairlead.v1.Result;
import io.fairlead.v1.SliceEndpoint;
import io.fairlead.v1.SlicePort;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * Goes on until it is stopped: Pods come to all nodes and go, probes fail and pass, slices are
 * written and deleted, Pods are drained. What nobody answers is asked again with the same id. One
 * virtual thread; methods are for one other.
 */
final class NodeWork implements AutoCloseable {
  /** For what was changed to come back from the nodes, while these die. */
  private static final Duration SEEN = Duration.ofSeconds(8);

  private final NodeStory story;
  private final Thread thread;
  private final ConcurrentLinkedQueue<Throwable> faults = new ConcurrentLinkedQueue<>();

  /** By request id, what was answered where that says that something was written. */
  private final Map<String, Result> written = new ConcurrentHashMap<>();

  private volatile boolean over;
  private volatile int round;

  private NodeWork(NodeStory story) {
    this.story = story;
    this.thread = Thread.ofVirtual().name("work").unstarted(this::run);
  }

  static NodeWork start(NodeStory story) {
    var work = new NodeWork(story);
    work.thread.start();
    return work;
  }

  void stop() {
    over = true;
  }

  boolean isOver() {
    return !thread.isAlive();
  }

  /** How far it is, for people. */
  String words() {
    return "; the work is in round " + round + ", " + written.size() + " requests were answered";
  }

  /** Fails where something was answered that should not be. */
  void check() {
    var fault = faults.peek();
    if (fault != null) {
      throw new AssertionError("the work failed", fault);
    }
  }

  /** Fails where something that was confirmed is not in the log once. */
  void checkLog(Stores stores) {
    var records =
        LogRecords.all(stores, Topic.PODS).stream()
            .filter(entry -> entry.event().key().kind() != Kind.POD_READINESS) // goes with its Pod
            .flatMap(entry -> envelope(entry.event()).flatMap(Envelope::request).stream())
            .collect(Collectors.groupingBy(stamp -> stamp.id(), Collectors.counting()));
    written.forEach((id, result) -> {
      if (records.getOrDefault(id, 0L) != 1) {
        throw new AssertionError(
            result + " was answered to " + id + ", which led to records: " + records.get(id));
      }
    });
  }

  private static Optional<Envelope> envelope(LogEvent event) {
    return switch (event) {
      case LogEvent.Stored(_, var envelope) -> Optional.of(envelope);
      case LogEvent.Deleted(_, _, var envelope) -> Optional.of(envelope);
      case LogEvent.Tombstone _ -> Optional.empty();
    };
  }

  private void run() {
    try {
      for (int next = 0; !over; next++) {
        round = next;
        boolean passing = round % 2 == 1;
        for (var node : story.living()) {
          story.passing(node, passing);
          story.extra(node, passing);
        }
        slice(passing);
        drain();
        awaitReady(passing ? story.living().size() : 0);
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException | Error e) {
      faults.add(e);
    }
  }

  private void slice(boolean there) throws InterruptedException {
    var id = UUID.randomUUID().toString();
    if (there) {
      var slice =
          EndpointSlice.newBuilder()
              .setMetadata(
                  ObjectMeta.newBuilder()
                      .setNamespace("default")
                      .setName("outside-1")
                      .putLabels("kubernetes.io/service-name", "outside"))
              .setAddressType("IPv4")
              .addPorts(SlicePort.newBuilder().setName("http").setPort(8080))
              .addEndpoints(SliceEndpoint.newBuilder().addAddresses("192.0.2.7"));
      var request =
          ApplyEndpointSliceRequest.newBuilder().setRequestId(id).setEndpointSlice(slice).build();
      answered(() -> story.api().slices().apply(request))
          .ifPresent(reply -> wrote(id, reply.getResult()));
    } else {
      var request =
          DeleteEndpointSliceRequest.newBuilder()
              .setRequestId(id)
              .setNamespace("default")
              .setName("outside-1")
              .build();
      answered(() -> story.api().slices().delete(request))
          .ifPresent(reply -> wrote(id, reply.getResult()));
    }
  }

  private void drain() throws InterruptedException {
    var name = "drained";
    var pod =
        Pod.newBuilder()
            .setMetadata(ObjectMeta.newBuilder().setNamespace("default").setName(name))
            .setSpec(
                PodSpec.newBuilder()
                    .setNodeName("node-a")
                    .addContainers(
                        Container.newBuilder().setName("main").setImage("fairlead/echo")))
            .setStatus(PodStatus.newBuilder().setPodIp("192.0.2.8"))
            .build();
    var applied = UUID.randomUUID().toString();
    var apply = ApplyPodRequest.newBuilder().setRequestId(applied).setPod(pod).build();
    answered(() -> story.api().pods().apply(apply))
        .ifPresent(reply -> wrote(applied, reply.getResult()));
    var drain =
        DrainPodRequest.newBuilder()
            .setRequestId(UUID.randomUUID().toString())
            .setNamespace("default")
            .setName(name)
            .setTimeout(com.google.protobuf.Duration.newBuilder().setSeconds(2))
            .build();
    var _ =
        answered(() -> {
          var replies = story.api().pods().drain(drain);
          var last = replies.next();
          while (replies.hasNext()) {
            last = replies.next();
          }
          return last;
        });
    var deleted = UUID.randomUUID().toString();
    var delete =
        DeletePodRequest.newBuilder()
            .setRequestId(deleted)
            .setNamespace("default")
            .setName(name)
            .setGracePeriodSeconds(0)
            .build();
    answered(() -> story.api().pods().delete(delete))
        .ifPresent(reply -> wrote(deleted, reply.getResult()));
  }

  private void wrote(String id, Result result) {
    if (result != Result.UNCHANGED) {
      written.put(id, result);
    }
  }

  /** Asks until somebody answers; empty where it is over before that, or there is no such thing. */
  private <T> Optional<T> answered(Supplier<T> call) throws InterruptedException {
    while (!over) {
      try {
        return Optional.of(call.get());
      } catch (StatusRuntimeException e) {
        switch (e.getStatus().getCode()) {
          case UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED, RESOURCE_EXHAUSTED -> Thread.sleep(50);
          case NOT_FOUND -> { // of what an earlier batch left unfinished
            return Optional.empty();
          }
          default -> throw e;
        }
      }
    }
    return Optional.empty();
  }

  /** Until probes have been reported; not for ever, as whoever reports is about to die. */
  private void awaitReady(int pods) throws InterruptedException {
    long endNanos = System.nanoTime() + SEEN.toNanos();
    while (!over && System.nanoTime() - endNanos < 0) {
      try {
        if (story.api().readyPods("default", "app=web") == pods) {
          return;
        }
      } catch (StatusRuntimeException _) {
        // nobody answers just now
      }
      Thread.sleep(100);
    }
  }

  @Override
  public void close() {
    over = true;
    thread.interrupt();
  }
}
