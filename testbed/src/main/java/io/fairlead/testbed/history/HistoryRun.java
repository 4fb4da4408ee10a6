package io.fairlead.testbed.history;

import io.fairlead.runtime.GrpcChannels;
import io.fairlead.testbed.check.LogInvariants;
import io.fairlead.testbed.cluster.AllocationCluster;
import io.fairlead.testbed.fault.Fault;
import io.fairlead.testbed.history.Linearizability.Call;
import io.fairlead.v1.DeleteServiceRequest;
import io.fairlead.v1.ListServicesRequest;
import io.fairlead.v1.ServicesGrpc;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;

/** A workload under faults, one after the other, and the check of its history. */
public final class HistoryRun {
  private static final Duration CLIENT_END = Duration.ofSeconds(90);
  private static final Duration CALL = Duration.ofSeconds(10);
  private static final Duration POLL = Duration.ofMillis(20);

  /** Of a /28: without network, broadcast and the control plane's own, and so without a band. */
  public static final String RANGE = "10.96.0.0/28";

  public static final List<String> ADDRESSES =
      IntStream.rangeClosed(2, 14).mapToObj(i -> "10.96.0." + i).toList();

  private HistoryRun() {}

  /**
   * What came of it.
   *
   * @param faults what is wrong, in words; empty: nothing
   * @param calls by outcome, for people
   */
  public record Report(List<String> faults, String calls) {}

  /**
   * Runs, heals, checks; with the invariants of the stores at the end.
   *
   * @param cluster healthy, with {@link #RANGE} for its range, and no Service but its own
   * @param hurts in this order; between two all is well for a while
   * @param directory where the history is written to if it is faulty
   */
  public static Report run(
      AllocationCluster cluster, HistorySpec spec, List<Fault> hurts, Path directory)
      throws InterruptedException {
    // a source of its own, so that the clients' choices are the same whatever the faults are
    var random = new Random(spec.seed());
    try (var workload = Workload.start(spec, cluster.addresses())) {
      awaitCalls(workload, 200);
      for (var fault : hurts) {
        System.out.println("seed " + spec.seed() + ": " + fault);
        fault.hurt(cluster, random);
        lasts(Duration.ofMillis(500 + random.nextInt(7_500)));
        cluster.heal();
        awaitCalls(workload, 100 + random.nextInt(200));
      }
      workload.stop(CLIENT_END);
      new LogInvariants(cluster.stores()).awaitAll();
      var calls = workload.history().calls();
      var logged = LogRecords.ofServices(cluster.stores(), spec.namespace());
      // what the log tells first: it names the one write, the search only where it gives up
      var faults = new ArrayList<>(LogCheck.faults(calls, logged));
      faults.addAll(HistoryCheck.faults(spec.namespace(), calls, logged));
      if (!faults.isEmpty()) {
        write(directory.resolve("history-" + spec.seed() + ".txt"), faults, calls, logged);
      }
      return new Report(faults, summary(calls));
    }
  }

  /** Deletes what a history left, so that the addresses are free for the next. */
  public static void clear(AllocationCluster cluster, String namespace) {
    var channel = GrpcChannels.of(cluster.addresses(), GrpcChannels.Spread.ROUND_ROBIN);
    try {
      Awaitility.await(namespace + " is empty")
          .atMost(CLIENT_END)
          .ignoreExceptionsMatching(StatusRuntimeException.class::isInstance)
          .until(() -> {
            var services = ServicesGrpc.newBlockingStub(channel).withDeadlineAfter(CALL);
            var all = ListServicesRequest.newBuilder().setNamespace(namespace).build();
            var left = services.list(all).getItemsList();
            for (var service : left) {
              var _ =
                  services.delete(
                      DeleteServiceRequest.newBuilder()
                          .setRequestId("clear-" + service.getMetadata().getUid())
                          .setNamespace(namespace)
                          .setName(service.getMetadata().getName())
                          .build());
            }
            return left.isEmpty();
          });
    } finally {
      channel.shutdownNow();
    }
  }

  /** So long the fault is there: no condition that anything waits for. */
  private static void lasts(Duration duration) throws InterruptedException {
    Thread.sleep(duration);
  }

  /** Until the clients ended so many more calls. */
  private static void awaitCalls(Workload workload, int more) {
    int before = workload.history().calls().size();
    Awaitility.await(more + " more calls")
        .atMost(Duration.ofSeconds(120))
        .pollInterval(POLL)
        .until(() -> {
          workload.verify();
          return workload.history().calls().size() >= before + more;
        });
  }

  private static String summary(List<Call<Operation>> calls) {
    return calls.stream()
        .map(Call::operation)
        .collect(
            Collectors.groupingBy(
                o ->
                    o.request().getClass().getSimpleName()
                        + " "
                        + o.outcome().getClass().getSimpleName(),
                java.util.TreeMap::new,
                Collectors.counting()))
        .toString();
  }

  private static void write(
      Path file, List<String> faults, List<Call<Operation>> calls, List<LoggedWrite> logged) {
    var lines = new ArrayList<>(faults);
    calls.forEach(call -> lines.add(HistoryCheck.line(call)));
    logged.forEach(write -> lines.add(write.toString()));
    try {
      Files.createDirectories(file.getParent());
      Files.write(file, lines);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
