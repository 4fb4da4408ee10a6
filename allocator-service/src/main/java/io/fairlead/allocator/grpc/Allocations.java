package io.fairlead.allocator.grpc;

import io.fairlead.api.Errors;
import io.fairlead.api.PositionCodec;
import io.fairlead.api.ServiceCidrCodec;
import io.fairlead.api.Timestamps;
import io.fairlead.core.decide.AddressBands;
import io.fairlead.core.decide.Violation.Reason;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.ServicesImage;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.Time;
import io.fairlead.etcd.Coordination;
import io.fairlead.etcd.Coordination.ClaimHolder;
import io.fairlead.eventlog.load.Snapshot;
import io.fairlead.v1.AddressClaim;
import io.fairlead.v1.Allocation;
import io.fairlead.v1.AllocationReply;
import io.fairlead.v1.GetAllocationRequest;
import io.fairlead.v1.ListAllocationsReply;
import io.fairlead.v1.ListAllocationsRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.math.BigInteger;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** What addresses are in use, and by whom: from an image, and for one address from etcd, too. */
final class Allocations {
  /** Some tens of kilobytes: far below what clients take in one message. */
  static final int PORTION = 1_000;

  /** A caller that takes nothing for so long must not hold an image. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final Coordination coordination;
  private final Time time;

  Allocations(Coordination coordination, Time time) {
    this.coordination = coordination;
    this.time = time;
  }

  /** Which ones a caller wants. */
  private record Wanted(Optional<String> namespace, Optional<String> name, Optional<Cidr> cidr) {
    static Wanted of(ListAllocationsRequest request) {
      if (!request.getName().isEmpty() && request.getNamespace().isEmpty()) {
        throw Errors.invalid("namespace", Reason.REQUIRED, "a name means one namespace");
      }
      var cidr = present(request.getCidr()).map(Allocations::cidr);
      return new Wanted(present(request.getNamespace()), present(request.getName()), cidr);
    }

    private static Optional<String> present(String text) {
      return Optional.of(text).filter(t -> !t.isEmpty());
    }

    boolean matches(ObjectName holder, Address address) {
      return namespace.filter(n -> !n.equals(holder.namespace())).isEmpty()
          && name.filter(n -> !n.equals(holder.name())).isEmpty()
          && cidr.filter(c -> !c.contains(address)).isEmpty();
    }

    /** Sorted; costs what the narrowest filter leaves. */
    Collection<Address> candidates(ServicesImage services) {
      if (namespace.isEmpty()) {
        return cidr.<Collection<Address>>map(
                c -> services.clusterIps(c.base(), c.at(c.size().subtract(BigInteger.ONE))))
            .orElse(services.clusterIps());
      }
      var addresses = new TreeSet<Address>();
      if (name.isPresent()) {
        services
            .get(new ObjectName(namespace.get(), name.get()))
            .ifPresent(service -> addresses.addAll(service.object().spec().clusterIps()));
      } else {
        services
            .byNamespace(namespace.get())
            .forEach(service -> addresses.addAll(service.object().spec().clusterIps()));
      }
      return addresses;
    }
  }

  private static Cidr cidr(String text) {
    return Cidr.parse(text)
        .orElseThrow(() ->
            Errors.invalid(
                "cidr",
                Reason.INVALID,
                "\"" + text + "\" must be a CIDR block without host bits, e.g. 10.96.0.0/24"));
  }

  /**
   * Writes all of them as fast as the caller takes them. To be called from the handler of the call;
   * returns at once, since gRPC tells of readiness only after that.
   *
   * @throws StatusRuntimeException INVALID
   */
  void open(
      ListAllocationsRequest request,
      Snapshot snapshot,
      StreamObserver<ListAllocationsReply> observer) {
    var wanted = Wanted.of(request);
    var replies = (ServerCallStreamObserver<ListAllocationsReply>) observer;
    var ready = new Semaphore(0);
    replies.setOnReadyHandler(ready::release);
    replies.setOnCancelHandler(ready::release);
    Thread.ofVirtual()
        .name("allocations")
        .start(() -> {
          try {
            list(wanted, snapshot, replies, ready);
          } catch (RuntimeException e) {
            if (!replies.isCancelled()) {
              replies.onError(Errors.of(e));
            }
          }
        });
  }

  private static void list(
      Wanted wanted,
      Snapshot snapshot,
      ServerCallStreamObserver<ListAllocationsReply> replies,
      Semaphore ready) {
    var image = snapshot.image();
    var reply =
        ListAllocationsReply.newBuilder().setPosition(PositionCodec.proto(snapshot.position()));
    boolean first = true;
    for (var address : wanted.candidates(image.services())) {
      held(image, address)
          .filter(a -> wanted.matches(new ObjectName(a.getNamespace(), a.getName()), address))
          .ifPresent(reply::addItems);
      if (reply.getItemsCount() == PORTION) {
        awaitReady(replies, ready);
        replies.onNext(reply.build());
        reply.clear();
        first = false;
      }
    }
    if (first || reply.getItemsCount() > 0) {
      awaitReady(replies, ready);
      replies.onNext(reply.build());
    }
    replies.onCompleted();
  }

  private static void awaitReady(
      ServerCallStreamObserver<ListAllocationsReply> replies, Semaphore ready) {
    try {
      while (!replies.isReady()) {
        if (replies.isCancelled()) {
          throw Status.CANCELLED.asRuntimeException();
        }
        if (!ready.tryAcquire(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
          throw Errors.limitReached("nothing was taken for " + PATIENCE.toSeconds() + " s");
        }
        ready.drainPermits();
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw Errors.shuttingDown();
    }
  }

  private static Optional<Allocation> held(ClusterImage image, Address address) {
    return image
        .services()
        .holder(address)
        .flatMap(image.services()::get)
        .map(service -> ServiceCidrCodec.allocation(address, service, image));
  }

  /**
   * All that is known of one address.
   *
   * @throws StatusRuntimeException INVALID; NOT_FOUND where it is nobody's
   */
  AllocationReply get(GetAllocationRequest request, Snapshot snapshot) {
    var text = request.getAddress();
    var address =
        Address.parse(text)
            .orElseThrow(() ->
                Errors.invalid(
                    "address",
                    Reason.INVALID,
                    "\"" + text + "\" must be an IP address, e.g. 10.96.0.10"));
    var image = snapshot.image();
    var reply =
        AllocationReply.newBuilder()
            .setPosition(PositionCodec.proto(snapshot.position()))
            .addAllServiceCidrs(givenOutBy(image, address));
    held(image, address).ifPresent(reply::setAllocation);
    Optional<AddressClaim> claim = Optional.empty();
    try {
      claim = coordination.claimOn(address).map(this::proto);
    } catch (GatewayException e) {
      reply.setClaimUnknown("etcd does not answer: " + e.getMessage());
    }
    claim.ifPresent(reply::setClaim);
    if (!reply.hasAllocation() && claim.isEmpty()) {
      if (!reply.getClaimUnknown().isEmpty()) {
        throw Errors.dependencyUnavailable(
            "no Service holds " + text + "; whether it is claimed is " + reply.getClaimUnknown());
      }
      throw Errors.notFound("Allocation", "", address.toString());
    }
    return reply.build();
  }

  private static List<String> givenOutBy(ClusterImage image, Address address) {
    return image.serviceCidrs().all().stream()
        .filter(cidr ->
            cidr.object().cidrs().stream()
                .anyMatch(range -> new AddressBands(range).usable(address)))
        .map(cidr -> cidr.object().meta().name())
        .toList();
  }

  /**
   * With the reservation that holds the address, or gets it back from the Service while it lives.
   */
  private AddressClaim proto(ClaimHolder holder) {
    var proto =
        AddressClaim.newBuilder()
            .setNamespace(holder.service().namespace())
            .setName(holder.service().name())
            .setRevision(holder.revision());
    if (!holder.reserved()) {
      proto.setUid(holder.uid().toString());
    }
    var living = holder.reservation().flatMap(coordination::reservation).stream().toList();
    coordination
        .timeLeft(living)
        .forEach((id, left) -> {
          proto.setExpires(Timestamps.proto(time.now().plus(left)));
          if (!holder.reserved()) {
            proto.setTakenFrom(id.toString());
          }
        });
    if (holder.reserved()) {
      proto.setReservation(holder.uid().toString());
    }
    return proto.build();
  }
}
