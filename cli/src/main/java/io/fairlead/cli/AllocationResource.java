package io.fairlead.cli;

import io.fairlead.api.ServiceCidrCodec;
import io.fairlead.api.manifest.ManifestWriter;
import io.fairlead.api.table.Descriptions;
import io.fairlead.api.table.Tables;
import io.fairlead.api.table.Tables.Namespaces;
import io.fairlead.api.table.Tables.Width;
import io.fairlead.api.table.TextTable;
import io.fairlead.cli.ObjectsReader.Then;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.v1.Allocation;
import io.fairlead.v1.Freshness;
import io.fairlead.v1.GetAllocationRequest;
import io.fairlead.v1.ListAllocationsRequest;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.ServiceCidrsGrpc;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Addresses that Services hold, of allocator-service; named by the address.
 *
 * @param owner NAMESPACE or NAMESPACE/NAME of the Service; empty = of whomever
 * @param cidr only addresses in that block
 */
record AllocationResource(Optional<String> owner, Optional<String> cidr)
    implements Resource<Allocation> {
  /** All of them. */
  AllocationResource() {
    this(Optional.empty(), Optional.empty());
  }

  @Override
  public List<String> names() {
    return List.of("allocations", "allocation", "ipaddresses", "ipaddress", "ip");
  }

  @Override
  public boolean isNamespaced() {
    return false;
  }

  /** One that no Service holds is told by its address alone; {@code describe} says more. */
  @Override
  public Allocation get(Session session, String namespace, String name, Freshness freshness) {
    var request =
        GetAllocationRequest.newBuilder().setAddress(name).setFreshness(freshness).build();
    var reply = session.serviceCidrs(stub -> stub.getAllocation(request));
    return reply.hasAllocation()
        ? reply.getAllocation()
        : Allocation.newBuilder().setAddress(name).build();
  }

  @Override
  public List<Allocation> list(Session session, Listing listing) {
    listing.refuseFields(plural());
    if (!listing.selector().isEmpty()) {
      throw new UsageException("error: allocations have no labels: use --owner and --cidr");
    }
    var parts = owner.orElse("").split("/", -1);
    if (parts.length > 2 || owner.filter(o -> o.isEmpty() || o.startsWith("/")).isPresent()) {
      throw new UsageException("error: --owner: must be NAMESPACE or NAMESPACE/NAME of a Service");
    }
    var request =
        ListAllocationsRequest.newBuilder()
            .setNamespace(parts[0])
            .setName(parts.length > 1 ? parts[1] : "")
            .setCidr(cidr.orElse(""))
            .setFreshness(listing.freshness())
            .build();
    var all = new ArrayList<Allocation>();
    session.read(
        Session.Part.ALLOCATOR,
        ServiceCidrsGrpc::newBlockingStub,
        stub -> stub.listAllocations(request),
        all::clear,
        reply -> {
          all.addAll(reply.getItemsList());
          return Then.MORE;
        });
    return all;
  }

  @Override
  public void watch(Session session, Query query, ObjectsReader<Allocation> reader) {
    throw new UsageException("error: allocations cannot be watched; watch services");
  }

  @Override
  public List<Allocation> of(ClusterImage image) {
    return image.services().clusterIps().stream()
        .flatMap(address ->
            image.services().holder(address).flatMap(image.services()::get).stream()
                .map(service -> ServiceCidrCodec.allocation(address, service, image)))
        .toList();
  }

  @Override
  public Deleted delete(Session session, String namespace, String name, Deletion how) {
    throw new IllegalStateException("refused before");
  }

  @Override
  public Optional<String> notDeleted(Deletion how) {
    return Optional.of("an address is freed with its Service: delete that");
  }

  @Override
  public ObjectMeta meta(Allocation allocation) {
    return ObjectMeta.newBuilder().setName(allocation.getAddress()).build();
  }

  @Override
  public Map<String, Object> tree(Allocation allocation) {
    return ManifestWriter.tree(allocation);
  }

  @Override
  public TextTable table(
      List<Allocation> allocations, Width width, Namespaces namespaces, Instant now) {
    return Tables.allocations(allocations, width, now);
  }

  /** With what etcd says. */
  @Override
  public String describe(Session session, Allocation allocation) {
    var request = GetAllocationRequest.newBuilder().setAddress(allocation.getAddress()).build();
    var reply = session.serviceCidrs(stub -> stub.getAllocation(request));
    return Descriptions.of(allocation.getAddress(), reply, session.time().now());
  }
}
