package io.fairlead.endpoints.grpc;

import io.fairlead.core.model.Acknowledgement;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.run.Time;
import io.fairlead.decider.grpc.Caller;
import io.fairlead.decider.grpc.LogFollowers;
import io.fairlead.decider.grpc.LogFollowers.Follower;
import io.fairlead.decider.grpc.LogFollowers.Known;
import io.fairlead.decider.grpc.LogReads;
import io.fairlead.decider.grpc.LogService;
import io.fairlead.decider.grpc.Reads;
import io.fairlead.decider.watch.History;
import io.fairlead.decider.watch.Watches;
import io.fairlead.endpoints.acks.Acks;
import io.fairlead.endpoints.acks.DnsCheck;
import io.fairlead.endpoints.acks.Fleet;
import io.fairlead.etcd.Coordination;
import io.fairlead.eventlog.load.Loader;
import io.grpc.BindableService;
import io.grpc.ServerInterceptor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The unary services of this process, ready for a server. */
public final class Api {
  private Api() {}

  /**
   * Pods, Nodes, EndpointSlices, the environment, FeatureLevels and Log.
   *
   * @param timeout longest time a call may take, whatever its deadline
   */
  public static List<BindableService> services(
      String replica,
      List<LogPartition> partitions,
      PodCalls calls,
      Loader loader,
      Fleet fleet,
      Acks acks,
      AckWaits waits,
      NodeQuestions questions,
      History history,
      Watches watches,
      LogReads logReads,
      Coordination coordination,
      Duration timeout,
      Time time) {
    var reads = new Reads(loader, timeout);
    return List.of(
        new PodsService(
            calls, reads, new DrainCall(calls, reads, fleet, acks, waits, history, time), watches),
        new NodesService(
            calls,
            reads,
            fleet,
            new WaitAppliedCall(reads, fleet, acks, waits),
            watches,
            questions),
        new EndpointSlicesService(calls, reads, watches),
        new EnvironmentsService(reads),
        new FeatureLevelsService(
            reads, new LogFollowers(coordination, () -> dns(acks, reads, time))),
        new LogService(replica, partitions, loader, coordination, reads, logReads));
  }

  private static Known dns(Acks acks, Reads reads, Time time) {
    var replicas = new ArrayList<Follower>();
    DnsCheck.servers(acks, reads.current().image(), time.nanoTime())
        .forEach((name, word) ->
            replicas.add(
                new Follower(
                    LogFollowers.DNS, name, word.map(Acknowledgement::featureLevel).orElse(0))));
    return new Known(replicas, acks.trouble());
  }

  /** What the services need around them. */
  public static List<ServerInterceptor> interceptors() {
    return List.of(Caller.interceptor());
  }
}
