package io.fairlead.allocator.grpc;

import io.fairlead.core.decide.ServiceCommand;
import io.fairlead.core.decide.ServiceOutcome;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.run.Time;
import io.fairlead.decider.Decider;
import io.fairlead.decider.grpc.Caller;
import io.fairlead.decider.grpc.DnsReplicas;
import io.fairlead.decider.grpc.LogFollowers;
import io.fairlead.decider.grpc.LogReads;
import io.fairlead.decider.grpc.LogService;
import io.fairlead.decider.grpc.OwnerForwarding;
import io.fairlead.decider.grpc.Pages;
import io.fairlead.decider.grpc.Peers;
import io.fairlead.decider.grpc.Reads;
import io.fairlead.decider.watch.History;
import io.fairlead.decider.watch.Watches;
import io.fairlead.etcd.Coordination;
import io.fairlead.eventlog.load.Loader;
import io.grpc.BindableService;
import io.grpc.ServerInterceptor;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;

/** The services of this process, ready for a server. */
public final class Api {
  private Api() {}

  /**
   * Services, Namespaces, ServiceCidrs, Reservations, FeatureLevels and Log.
   *
   * @param decided what the decider answers from
   * @param limit longest time a call may take, whatever its deadline
   */
  public static List<BindableService> services(
      String replica,
      List<LogPartition> partitions,
      Decider<ServiceCommand, ServiceOutcome> decider,
      Peers peers,
      Loader loader,
      History history,
      Watches watches,
      LogReads logReads,
      Coordination coordination,
      Supplier<ClusterImage> decided,
      Duration limit,
      Time time) {
    var reads = new Reads(loader, limit);
    var changes = new Changes(new OwnerForwarding<>(decider, peers, time), reads);
    var pages = new Pages(reads, history);
    return List.of(
        new NamespacesService(changes, reads, pages, watches),
        new ServicesService(changes, reads, pages, watches, decided),
        new ServiceCidrsService(
            changes, reads, pages, watches, decided, new Allocations(coordination, time)),
        new ReservationsService(changes, reads, decided, coordination, time),
        new FeatureLevelsService(
            changes, reads, new LogFollowers(coordination, new DnsReplicas(coordination, peers))),
        new LogService(replica, partitions, loader, coordination, reads, logReads));
  }

  /** What the services need around them. */
  public static List<ServerInterceptor> interceptors() {
    return List.of(Caller.interceptor());
  }
}
