package io.fairlead.dns.grpc;

import io.fairlead.api.CallLimit;
import io.fairlead.api.DigestCodec;
import io.fairlead.api.Errors;
import io.fairlead.api.GrpcStreams;
import io.fairlead.api.PositionCodec;
import io.fairlead.core.decide.Violation.Reason;
import io.fairlead.core.image.PartitionObjects;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import io.fairlead.dns.zone.ZoneReader.Reading;
import io.fairlead.eventlog.codec.EventCodec;
import io.fairlead.eventlog.load.Snapshot;
import io.fairlead.v1.LogDigestsReply;
import io.fairlead.v1.LogDigestsRequest;
import io.fairlead.v1.LogGrpc.LogImplBase;
import io.fairlead.v1.LogObjectsReply;
import io.fairlead.v1.LogObjectsRequest;
import io.fairlead.v1.LogStatusReply;
import io.fairlead.v1.LogStatusRequest;
import io.fairlead.v1.PartitionStatus;
import io.grpc.Context;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/**
 * What this replica knows of the log: all partitions, and of none who owns it, as it does not speak
 * to etcd. Its zones are those of the position that it tells. Blocks, for virtual threads.
 */
public final class LogService extends LogImplBase {
  private static final Duration LONGEST_WAIT = Duration.ofSeconds(10);

  private final String replica;
  private final Supplier<Optional<Reading>> reading;
  private final CallLimit readers = new CallLimit("readers of objects", DigestCodec.READERS);

  /**
   * @param reading empty until the log was found
   */
  public LogService(String replica, Supplier<Optional<Reading>> reading) {
    this.replica = replica;
    this.reading = reading;
  }

  @Override
  public void status(LogStatusRequest request, StreamObserver<LogStatusReply> replies) {
    var found = found();
    var snapshot =
        request.hasWaitFor() ? await(found, request.getWaitFor()) : found.loader().current();
    var reply =
        LogStatusReply.newBuilder()
            .setReplica(replica)
            .setPosition(PositionCodec.proto(snapshot.position()));
    for (var partition : found.partitions()) {
      reply.addPartitions(
          PartitionStatus.newBuilder()
              .setPartition(partition.toString())
              .setNext(snapshot.position().of(partition))
              .setDigest(snapshot.image().digest(partition).toString())
              .setObjects(snapshot.image().objects(partition)));
    }
    replies.onNext(reply.build());
    replies.onCompleted();
  }

  @Override
  public void digests(LogDigestsRequest request, StreamObserver<LogDigestsReply> replies) {
    var found = found();
    var snapshot = found.loader().current();
    replies.onNext(
        DigestCodec.reply(
            request,
            replica,
            EventCodec.digestVersion(),
            snapshot.position(),
            snapshot.image(),
            found.partitions(),
            found.loader().digests()));
    replies.onCompleted();
  }

  @Override
  public void objects(LogObjectsRequest request, StreamObserver<LogObjectsReply> replies) {
    var found = found();
    var partition = DigestCodec.partition(request, found.partitions());
    var snapshot =
        request.hasWaitFor() ? await(found, request.getWaitFor()) : found.loader().current();
    var left = readers.enter();
    try {
      GrpcStreams.send(
          DigestCodec.objects(
              snapshot.position().of(partition),
              PartitionObjects.of(snapshot.image(), found.log().partitioning(), partition)),
          replies,
          left);
    } catch (RuntimeException e) {
      left.run();
      throw e;
    }
  }

  private Reading found() {
    return reading
        .get()
        .orElseThrow(() -> Errors.notSynced("this replica has not found the log yet"));
  }

  private static Snapshot await(Reading found, io.fairlead.v1.Position proto) {
    var position =
        PositionCodec.model(proto)
            .orElseThrow(() ->
                Errors.invalid(
                    "waitFor",
                    Reason.INVALID,
                    "must be a position that this API gave out, e.g. s:871,p7:12"));
    var own = found.log().identity();
    if (!position.log().equals(own)) {
      throw Errors.foreignLog(own.toString(), position.log().toString());
    }
    var applied = found.loader().applied(position.next());
    try {
      return applied.get(left().toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException _) {
      applied.cancel(false);
      throw Errors.notSynced(
          "at "
              + found.loader().current().position().offsets()
              + ", not yet at "
              + position.offsets());
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw Errors.shuttingDown();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof GatewayException trouble
          ? trouble
          : new GatewayException(Outcome.KNOWN_FAILED, "the log is not applied any more", e);
    }
  }

  private static Duration left() {
    var deadline = Context.current().getDeadline();
    if (deadline == null) {
      return LONGEST_WAIT;
    }
    var left = Duration.ofNanos(Math.max(0, deadline.timeRemaining(TimeUnit.NANOSECONDS)));
    return left.compareTo(LONGEST_WAIT) < 0 ? left : LONGEST_WAIT;
  }
}
