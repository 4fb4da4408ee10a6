package io.fairlead.allocator.grpc;

import io.fairlead.api.Errors;
import io.fairlead.api.PositionCodec;
import io.fairlead.core.decide.Violation.Reason;
import io.fairlead.core.model.LogPartition;
import io.fairlead.decider.Decider;
import io.fairlead.etcd.Coordination.Owner;
import io.fairlead.eventlog.load.Snapshot;
import io.fairlead.v1.LogGrpc.LogImplBase;
import io.fairlead.v1.LogStatusReply;
import io.fairlead.v1.LogStatusRequest;
import io.fairlead.v1.PartitionStatus;
import io.grpc.stub.StreamObserver;

/** What this replica knows of the log: of the services partition, the only one it reads. */
final class LogService extends LogImplBase {
  private final String replica;
  private final Reads reads;
  private final Decider<?, ?> decider;

  LogService(String replica, Reads reads, Decider<?, ?> decider) {
    this.replica = replica;
    this.reads = reads;
    this.decider = decider;
  }

  @Override
  public void status(LogStatusRequest request, StreamObserver<LogStatusReply> replies) {
    var snapshot = request.hasWaitFor() ? await(request.getWaitFor()) : reads.current();
    var services = LogPartition.SERVICES;
    replies.onNext(
        LogStatusReply.newBuilder()
            .setReplica(replica)
            .setPosition(PositionCodec.proto(snapshot.position()))
            .addPartitions(
                PartitionStatus.newBuilder()
                    .setPartition(services.toString())
                    .setNext(snapshot.position().of(services))
                    .setDigest(snapshot.image().digest(services).toString())
                    .setObjects(snapshot.image().objects(services))
                    .setOwner(decider.owner(services).map(Owner::replica).orElse("")))
            .build());
    replies.onCompleted();
  }

  private Snapshot await(io.fairlead.v1.Position proto) {
    var position =
        PositionCodec.model(proto)
            .orElseThrow(() ->
                Errors.invalid(
                    "waitFor",
                    Reason.INVALID,
                    "must be a position that this API gave out, e.g. s:871,p7:12"));
    var own = reads.current().position().log();
    if (!position.log().equals(own)) {
      throw Errors.foreignLog(own.toString(), position.log().toString());
    }
    return reads.covering(position);
  }
}
