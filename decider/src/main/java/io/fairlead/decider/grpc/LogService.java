package io.fairlead.decider.grpc;

import io.fairlead.api.CallLimit;
import io.fairlead.api.DigestCodec;
import io.fairlead.api.GrpcStreams;
import io.fairlead.api.PositionCodec;
import io.fairlead.core.image.PartitionObjects;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.run.GatewayException;
import io.fairlead.etcd.Coordination;
import io.fairlead.etcd.Coordination.Owner;
import io.fairlead.eventlog.codec.EventCodec;
import io.fairlead.eventlog.load.Loader;
import io.fairlead.v1.LogDigestsReply;
import io.fairlead.v1.LogDigestsRequest;
import io.fairlead.v1.LogGrpc.LogImplBase;
import io.fairlead.v1.LogObjectsReply;
import io.fairlead.v1.LogObjectsRequest;
import io.fairlead.v1.LogStatusReply;
import io.fairlead.v1.LogStatusRequest;
import io.fairlead.v1.PartitionStatus;
import io.fairlead.v1.ReadLogReply;
import io.fairlead.v1.ReadLogRequest;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What this replica knows of the log. */
public final class LogService extends LogImplBase {
  private final String replica;
  private final List<LogPartition> partitions;
  private final Loader loader;
  private final Coordination coordination;
  private final Reads reads;
  private final LogReads logReads;
  private final CallLimit readers = new CallLimit("readers of objects", DigestCodec.READERS);

  public LogService(
      String replica,
      List<LogPartition> partitions,
      Loader loader,
      Coordination coordination,
      Reads reads,
      LogReads logReads) {
    this.replica = replica;
    this.partitions = partitions;
    this.loader = loader;
    this.coordination = coordination;
    this.reads = reads;
    this.logReads = logReads;
  }

  @Override
  public void status(LogStatusRequest request, StreamObserver<LogStatusReply> replies) {
    if (request.hasWaitFor()) {
      var _ = reads.covered("waitFor", request.getWaitFor());
    }
    var snapshot = loader.current();
    var owners = owners();
    var reply =
        LogStatusReply.newBuilder()
            .setReplica(replica)
            .setPosition(PositionCodec.proto(snapshot.position()));
    for (var partition : partitions) {
      reply.addPartitions(
          PartitionStatus.newBuilder()
              .setPartition(partition.toString())
              .setNext(snapshot.position().of(partition))
              .setDigest(snapshot.image().digest(partition).toString())
              .setObjects(snapshot.image().objects(partition))
              .setOwner(Optional.ofNullable(owners.get(partition)).map(Owner::replica).orElse("")));
    }
    replies.onNext(reply.build());
    replies.onCompleted();
  }

  @Override
  public void digests(LogDigestsRequest request, StreamObserver<LogDigestsReply> replies) {
    var snapshot = loader.current();
    replies.onNext(
        DigestCodec.reply(
            request,
            replica,
            EventCodec.digestVersion(),
            snapshot.position(),
            snapshot.image(),
            partitions,
            loader.digests()));
    replies.onCompleted();
  }

  @Override
  public void objects(LogObjectsRequest request, StreamObserver<LogObjectsReply> replies) {
    var partition = DigestCodec.partition(request, partitions);
    if (request.hasWaitFor()) {
      var _ = reads.covered("waitFor", request.getWaitFor());
    }
    var left = readers.enter();
    try {
      var snapshot = loader.current();
      GrpcStreams.send(
          DigestCodec.objects(
              snapshot.position().of(partition),
              PartitionObjects.of(snapshot.image(), loader.partitioning(), partition)),
          replies,
          left);
    } catch (RuntimeException e) {
      left.run();
      throw e;
    }
  }

  @Override
  public void read(ReadLogRequest request, StreamObserver<ReadLogReply> replies) {
    logReads.open(request, replies);
  }

  /**
   * With etcd away nobody is known to own anything; position and digests are known all the same.
   */
  private Map<LogPartition, Owner> owners() {
    try {
      return coordination.owners();
    } catch (GatewayException _) {
      return Map.of();
    }
  }
}
