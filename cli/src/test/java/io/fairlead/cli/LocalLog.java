package io.fairlead.cli;

import io.fairlead.api.DigestCodec;
import io.fairlead.api.GrpcStreams;
import io.fairlead.api.PositionCodec;
import io.fairlead.api.Timestamps;
import io.fairlead.core.image.PartitionObjects;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.eventlog.codec.EventCodec;
import io.fairlead.v1.LogDigestsReply;
import io.fairlead.v1.LogDigestsRequest;
import io.fairlead.v1.LogGrpc;
import io.fairlead.v1.LogObjectsReply;
import io.fairlead.v1.LogObjectsRequest;
import io.fairlead.v1.LogStatusReply;
import io.fairlead.v1.LogStatusRequest;
import io.fairlead.v1.PartitionStatus;
import io.fairlead.v1.ReadLogReply;
import io.fairlead.v1.ReadLogRequest;
import io.grpc.stub.StreamObserver;

/** The log of the local control plane: all entries that were written. */
final class LocalLog extends LogGrpc.LogImplBase {
  private final LocalControlPlane plane;

  LocalLog(LocalControlPlane plane) {
    this.plane = plane;
  }

  @Override
  public void read(ReadLogRequest request, StreamObserver<ReadLogReply> observer) {
    synchronized (plane) {
      plane.arrived("");
      var from =
          request.hasFrom()
              ? PositionCodec.model(request.getFrom()).orElseThrow()
              : Position.start(LocalControlPlane.LOG);
      var begin = ReadLogReply.newBuilder();
      begin
          .getBeginBuilder()
          .setFrom(PositionCodec.proto(from))
          .setEnd(PositionCodec.proto(plane.position()))
          .setRetained(PositionCodec.proto(Position.start(LocalControlPlane.LOG)))
          .setCompleteSince(Timestamps.proto(plane.completeSince()));
      observer.onNext(begin.build());
      for (var entry : plane.written()) {
        if (entry.getOffset() >= from.of(LogPartition.parse(entry.getPartition()).orElseThrow())) {
          observer.onNext(ReadLogReply.newBuilder().setEntry(entry).build());
        }
      }
      observer.onNext(
          ReadLogReply.newBuilder().setEnd(PositionCodec.proto(plane.position())).build());
      if (!request.getFollow()) {
        observer.onCompleted();
        return;
      }
      var told = new int[] {plane.written().size()};
      plane.onChange(() -> {
        while (told[0] < plane.written().size()) {
          observer.onNext(
              ReadLogReply.newBuilder().setEntry(plane.written().get(told[0]++)).build());
        }
      });
    }
  }

  @Override
  public void status(LogStatusRequest request, StreamObserver<LogStatusReply> observer) {
    plane.answer(
        observer,
        "",
        () -> {
          var reply =
              LogStatusReply.newBuilder()
                  .setReplica(plane.replica())
                  .setPosition(PositionCodec.proto(plane.position()));
          for (var partition : plane.position().next().keySet()) {
            reply.addPartitions(
                PartitionStatus.newBuilder()
                    .setPartition(partition.toString())
                    .setNext(plane.position().of(partition))
                    .setDigest(plane.image().digest(partition).toString())
                    .setObjects(plane.image().objects(partition))
                    .setOwner("replica-1"));
          }
          return reply.build();
        });
  }

  @Override
  public void digests(LogDigestsRequest request, StreamObserver<LogDigestsReply> observer) {
    plane.answer(
        observer,
        "",
        () ->
            DigestCodec.reply(
                request,
                plane.replica(),
                EventCodec.digestVersion(),
                plane.position(),
                plane.image(),
                plane.position().next().keySet(),
                plane.digests()));
  }

  @Override
  public void objects(LogObjectsRequest request, StreamObserver<LogObjectsReply> observer) {
    synchronized (plane) {
      var partition = DigestCodec.partition(request, LocalControlPlane.PARTITIONING.all());
      GrpcStreams.send(
          DigestCodec.objects(
              plane.position().of(partition),
              PartitionObjects.of(plane.image(), LocalControlPlane.PARTITIONING, partition)),
          observer);
    }
  }
}
