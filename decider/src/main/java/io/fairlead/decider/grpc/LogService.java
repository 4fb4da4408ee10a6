package io.fairlead.decider.grpc;

import io.fairlead.api.Errors;
import io.fairlead.api.PositionCodec;
import io.fairlead.core.decide.Violation.Reason;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import io.fairlead.etcd.Coordination;
import io.fairlead.etcd.Coordination.Owner;
import io.fairlead.eventlog.load.Loader;
import io.fairlead.eventlog.load.Snapshot;
import io.fairlead.v1.LogGrpc.LogImplBase;
import io.fairlead.v1.LogStatusReply;
import io.fairlead.v1.LogStatusRequest;
import io.fairlead.v1.PartitionStatus;
import io.fairlead.v1.ReadLogReply;
import io.fairlead.v1.ReadLogRequest;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** What this replica knows of the log. */
public final class LogService extends LogImplBase {
  private final String replica;
  private final LogIdentity identity;
  private final List<LogPartition> partitions;
  private final Loader loader;
  private final Coordination coordination;
  private final Reads reads;
  private final LogReads logReads;

  public LogService(
      String replica,
      LogIdentity identity,
      List<LogPartition> partitions,
      Loader loader,
      Coordination coordination,
      Reads reads,
      LogReads logReads) {
    this.replica = replica;
    this.identity = identity;
    this.partitions = partitions;
    this.loader = loader;
    this.coordination = coordination;
    this.reads = reads;
    this.logReads = logReads;
  }

  @Override
  public void status(LogStatusRequest request, StreamObserver<LogStatusReply> replies) {
    var snapshot = request.hasWaitFor() ? await(request.getWaitFor()) : loader.current();
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

  private Snapshot await(io.fairlead.v1.Position text) {
    var position =
        PositionCodec.model(text)
            .orElseThrow(() ->
                Errors.invalid(
                    "waitFor",
                    Reason.INVALID,
                    "must be a position that this API gave out, e.g. s:871,p7:12"));
    if (!position.log().equals(identity)) {
      throw Errors.foreignLog(identity.toString(), position.log().toString());
    }
    var own = new TreeMap<>(position.next());
    own.keySet().retainAll(partitions); // as far as this replica reads the log
    var applied = loader.applied(own);
    try {
      return applied.get(reads.left().toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException _) {
      applied.cancel(false);
      throw Errors.notSynced(
          "at " + loader.current().position().offsets() + ", not yet at " + position.offsets());
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw Errors.shuttingDown();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof GatewayException trouble
          ? trouble
          : new GatewayException(Outcome.KNOWN_FAILED, "the log is not applied any more", e);
    }
  }
}
