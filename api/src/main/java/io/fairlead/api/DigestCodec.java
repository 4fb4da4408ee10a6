package io.fairlead.api;

import io.fairlead.core.decide.Violation.Reason;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Digest;
import io.fairlead.core.image.DigestMarks;
import io.fairlead.core.image.PartitionObjects;
import io.fairlead.core.image.PartitionObjects.Keyed;
import io.fairlead.core.image.PartitionObjects.State;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.v1.LogDigestsReply;
import io.fairlead.v1.LogDigestsRequest;
import io.fairlead.v1.LogObjectsReply;
import io.fairlead.v1.LogObjectsRequest;
import io.fairlead.v1.ObjectDigest;
import io.fairlead.v1.PartitionDigests;
import io.grpc.StatusRuntimeException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The digests of a log's partitions, and of their objects. */
public final class DigestCodec {
  /** Who may read objects at a time: each holds the image of when it asked until it is sent. */
  public static final int READERS = 4;

  /** Far below the limit of a message. */
  private static final int OBJECTS_A_MESSAGE = 2_000;

  private DigestCodec() {}

  /** What a replica has, without the digests that the caller knows. */
  public static LogDigestsReply reply(
      LogDigestsRequest request,
      String replica,
      String encoding,
      Position position,
      ClusterImage image,
      Collection<LogPartition> partitions,
      Map<LogPartition, DigestMarks> marks) {
    var reply =
        LogDigestsReply.newBuilder()
            .setReplica(replica)
            .setLog(position.log().toString())
            .setEncoding(encoding);
    for (var partition : partitions) {
      var text = partition.toString();
      var known = Optional.ofNullable(marks.get(partition)).orElse(DigestMarks.NONE);
      var wanted = known.after(request.getAfterOrDefault(text, -1));
      var message =
          PartitionDigests.newBuilder()
              .setPartition(text)
              .setFirst(wanted.first())
              .setExactFrom(wanted.exactFrom())
              .setNext(position.of(partition))
              .setDigest(image.digest(partition).toString());
      wanted.digests().forEach(digest -> message.addDigests(digest.toString()));
      reply.addPartitions(message);
    }
    return reply.build();
  }

  /** Empty where it is malformed. */
  public static Optional<DigestMarks> model(PartitionDigests proto) {
    var digests = new ArrayList<Digest>();
    for (var text : proto.getDigestsList()) {
      Digest.parse(text).ifPresent(digests::add);
    }
    return digests.size() < proto.getDigestsCount()
            || proto.getFirst() < 0
            || proto.getExactFrom() < 0
        ? Optional.empty()
        : Optional.of(DigestMarks.of(proto.getFirst(), digests, proto.getExactFrom()));
  }

  /**
   * The partition that a caller wants the objects of.
   *
   * @param known those of this replica
   * @throws StatusRuntimeException INVALID: it is none of these
   */
  public static LogPartition partition(LogObjectsRequest request, Collection<LogPartition> known) {
    return LogPartition.parse(request.getPartition())
        .filter(known::contains)
        .orElseThrow(() ->
            Errors.invalid(
                "partition",
                Reason.NOT_SUPPORTED,
                "\"" + request.getPartition() + "\" is not read here, only " + known));
  }

  /** The messages of a stream, at least one; each is made when it is asked for. */
  public static Iterator<LogObjectsReply> objects(long next, Iterator<Keyed> objects) {
    return new Iterator<>() {
      private boolean begun;

      @Override
      public boolean hasNext() {
        return !begun || objects.hasNext();
      }

      @Override
      public LogObjectsReply next() {
        begun = true;
        var message = LogObjectsReply.newBuilder().setNext(next);
        while (objects.hasNext() && message.getObjectsCount() < OBJECTS_A_MESSAGE) {
          var object = objects.next();
          message.addObjects(
              ObjectDigest.newBuilder()
                  .setKey(object.key())
                  .setOffset(object.state().offset())
                  .setDigest(object.state().digest().toString()));
        }
        return message.build();
      }
    };
  }

  /** What such a stream says. Objects whose digest is malformed count as having none like it. */
  public static PartitionObjects model(Iterator<LogObjectsReply> messages) {
    var objects = new TreeMap<String, State>();
    long next = 0;
    while (messages.hasNext()) {
      var message = messages.next();
      next = message.getNext();
      for (var object : message.getObjectsList()) {
        objects.put(
            object.getKey(),
            new State(object.getOffset(), Digest.parse(object.getDigest()).orElse(Digest.ZERO)));
      }
    }
    return new PartitionObjects(next, objects);
  }
}
