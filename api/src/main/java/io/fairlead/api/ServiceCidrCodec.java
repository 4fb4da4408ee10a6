package io.fairlead.api;

import io.fairlead.core.decide.RangeUsage;
import io.fairlead.core.decide.ServiceCidrDraft;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.ServiceCidr;
import io.fairlead.v1.Allocation;
import io.fairlead.v1.BandUsage;
import io.fairlead.v1.Condition;
import java.util.OptionalLong;

/**
 * ServiceCIDRs: what users send, as drafts; what is stored, with what an image says of its use. And
 * the addresses that Services hold.
 */
public final class ServiceCidrCodec {
  private ServiceCidrCodec() {}

  /** What was sent, unchecked. What only the server sets is ignored. */
  public static ServiceCidrDraft draft(io.fairlead.v1.ServiceCidr proto) {
    var meta = proto.getMetadata();
    return new ServiceCidrDraft(
        meta.getName(),
        meta.getLabelsMap(),
        meta.getAnnotationsMap(),
        proto.getSpec().getCidrsList(),
        meta.getResourceVersion(),
        meta.getUid());
  }

  /** As stored. */
  public static io.fairlead.v1.ServiceCidr proto(Versioned<ServiceCidr> cidr, ClusterImage image) {
    return proto(
        cidr.object(),
        cidr.isPending() ? OptionalLong.empty() : OptionalLong.of(cidr.offset()),
        image);
  }

  /**
   * @param image whose Services count as users of the ranges
   */
  public static io.fairlead.v1.ServiceCidr proto(
      ServiceCidr cidr, OptionalLong version, ClusterImage image) {
    var proto =
        io.fairlead.v1.ServiceCidr.newBuilder().setMetadata(Metas.proto(cidr.meta(), version));
    cidr.deleting()
        .ifPresent(at -> proto.getMetadataBuilder().setDeletionTimestamp(Timestamps.proto(at)));
    proto.getSpecBuilder().addAllCidrs(cidr.cidrs().stream().map(Cidr::toString).toList());
    var status = proto.getStatusBuilder().addConditions(condition(cidr, image));
    for (var range : cidr.cidrs()) {
      var usage = RangeUsage.of(image.services(), range);
      status
          .addRangesBuilder()
          .setCidr(range.toString())
          .setStaticBand(proto(usage.staticBand()))
          .setDynamicBand(proto(usage.dynamicBand()));
    }
    return proto.build();
  }

  private static Condition condition(ServiceCidr cidr, ClusterImage image) {
    var condition = Condition.newBuilder().setType("Ready");
    if (!cidr.terminating()) {
      return condition
          .setStatus("True")
          .setMessage("addresses are given out")
          .setLastTransitionTime(Timestamps.proto(cidr.meta().created()))
          .build();
    }
    cidr.deleting().ifPresent(at -> condition.setLastTransitionTime(Timestamps.proto(at)));
    long holding = RangeUsage.holding(image, cidr);
    return condition
        .setStatus("False")
        .setReason("Terminating")
        .setMessage(
            "%d %s in use that no other ServiceCIDR covers"
                .formatted(holding, holding == 1 ? "address is" : "addresses are"))
        .build();
  }

  private static BandUsage proto(RangeUsage.Band band) {
    return BandUsage.newBuilder()
        .setSize(band.size().toString())
        .setUsed(band.used())
        .setFree(band.free().toString())
        .build();
  }

  /**
   * An address of a Service's record.
   *
   * @param image that the Service is of
   */
  public static Allocation allocation(
      Address address, Versioned<Service> service, ClusterImage image) {
    var meta = service.object().meta();
    var proto =
        Allocation.newBuilder()
            .setAddress(address.toString())
            .setNamespace(meta.namespace())
            .setName(meta.name())
            .setUid(meta.uid().toString())
            .setSince(Timestamps.proto(meta.created()));
    if (!service.isPending()) {
      proto.setResourceVersion(Long.toString(service.offset()));
    }
    image.services().contenders(address).forEach(other -> proto.addContenders(other.toString()));
    return proto.build();
  }
}
