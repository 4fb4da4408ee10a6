package io.fairlead.endpoints.grpc;

import io.fairlead.api.PositionCodec;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.PodDrain;
import io.fairlead.core.model.Position;
import io.fairlead.core.run.Time;
import io.fairlead.decider.grpc.Caller;
import io.fairlead.decider.grpc.Reads;
import io.fairlead.decider.watch.History;
import io.fairlead.endpoints.acks.Acks;
import io.fairlead.endpoints.acks.DnsCheck;
import io.fairlead.endpoints.acks.DrainCheck;
import io.fairlead.endpoints.acks.Fleet;
import io.fairlead.v1.DrainPodReply;
import io.fairlead.v1.DrainPodReply.Verdict;
import io.fairlead.v1.DrainPodRequest;
import io.fairlead.v1.MarkDrainingRequest;
import io.fairlead.v1.ServiceName;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.UUID;
import java.util.stream.Collectors;

/** Pods.Drain. */
final class DrainCall {
  private final PodCalls calls;
  private final Reads reads;
  private final Fleet fleet;
  private final Acks acks;
  private final AckWaits waits;
  private final History history;
  private final Time time;

  DrainCall(
      PodCalls calls,
      Reads reads,
      Fleet fleet,
      Acks acks,
      AckWaits waits,
      History history,
      Time time) {
    this.calls = calls;
    this.reads = reads;
    this.fleet = fleet;
    this.acks = acks;
    this.waits = waits;
    this.history = history;
    this.time = time;
  }

  void serve(DrainPodRequest request, StreamObserver<DrainPodReply> replies) {
    var timeout = AckWaits.timeout(request.hasTimeout(), request.getTimeout());
    var marked =
        calls.markDraining(
            MarkDrainingRequest.newBuilder()
                .setRequestId(request.getRequestId())
                .setNamespace(request.getNamespace())
                .setName(request.getName())
                .setUid(request.getUid())
                .setDraining(true)
                .build(),
            Caller.current(),
            reads.left());
    var meta = marked.getPod().getMetadata();
    var mark =
        PositionCodec.model(marked.getPosition())
            .orElseThrow(() -> new IllegalStateException("an answer without a position"));
    var drain =
        new Drain(
            new ObjectName(meta.getNamespace(), meta.getName()),
            UUID.fromString(meta.getUid()),
            mark,
            new DnsCheck(acks, mark));
    waits.run(timeout, replies, drain::look, Drain::last);
  }

  /** One that runs. */
  private final class Drain {
    private final ObjectName pod;
    private final UUID uid;
    private final Position mark;
    private final DnsCheck dns;

    /** Once told, always remembered for a while. */
    private boolean headless;

    Drain(ObjectName pod, UUID uid, Position mark, DnsCheck dns) {
      this.pod = pod;
      this.uid = uid;
      this.mark = mark;
      this.dns = dns;
    }

    AckWaits.Look<DrainPodReply> look(boolean late) {
      var now = reads.current();
      var reply =
          DrainPodReply.newBuilder()
              .setUid(uid.toString())
              .setPosition(PositionCodec.proto(mark))
              .setVerdict(Verdict.WAITING);
      if (!now.position().covers(mark)) {
        var words =
            "this replica has not read the log so far itself, it is at " + now.position().offsets();
        return new AckWaits.Look<>(reply.setTrouble(words).setMessage(words).build(), false);
      }
      if (isTakenBack(now.image())) {
        return over(
            reply, Verdict.NOT_SAFE, "the mark was taken away again: it gets new connections");
      }
      var trouble = acks.trouble();
      var check =
          DrainCheck.of(
              pod,
              uid,
              mark,
              fleet.look(now.image()),
              new DrainCheck.Images(now.image(), this::past),
              trouble);
      headless |= check.headless();
      reply
          .setNodes(check.nodes())
          .setClear(check.nodes() - check.behind().size())
          .addAllLost(check.lost())
          .setTrouble(trouble.orElse(""));
      check.behind().stream()
          .limit(WaitAppliedCall.NAMED)
          .forEach(behind -> reply.addBehind(WaitAppliedCall.proto(behind, mark)));
      if (!check.publishing().isEmpty()) {
        reply.addAllServices(names(check.publishing()));
        return over(
            reply,
            Verdict.NOT_SAFE,
            words(check.publishing())
                + (check.publishing().size() == 1 ? " publishes" : " publish")
                + " Pods whether or not they are ready (publishNotReadyAddresses)");
      }
      if (!check.last().isEmpty() && (check.marked() || late)) {
        reply.addAllServices(names(check.last()));
        return over(
            reply,
            Verdict.LAST_ENDPOINT,
            "it is the last endpoint of " + words(check.last()) + " on at least one node");
      }
      if (!check.clear()) {
        return waiting(reply, "nodes may still send new connections there", late);
      }
      if (headless) {
        if (trouble.isPresent()) {
          return waiting(reply, "nobody knows of the DNS servers: " + trouble.get(), late);
        }
        reply.addAllDns(dns.look(now.image(), time.nanoTime()));
        if (reply.getDnsCount() > 0) {
          return waiting(reply, "DNS servers may still tell its address", late);
        }
      }
      return check.lost().isEmpty()
          ? over(reply, Verdict.SAFE, "no live node sends new connections there")
          : over(
              reply,
              Verdict.SAFE_EXCEPT,
              "no live node sends new connections there; of those that are lost nobody knows");
    }

    /** Somebody else decided otherwise; a Pod that is gone or ends needs no mark. */
    private boolean isTakenBack(ClusterImage image) {
      return image
          .pods()
          .get(pod)
          .map(Versioned::object)
          .filter(found -> found.uid().equals(uid) && found.status().deleting().isEmpty())
          .filter(found -> !PodDrain.isDraining(found))
          .isPresent();
    }

    private static AckWaits.Look<DrainPodReply> over(
        DrainPodReply.Builder reply, Verdict verdict, String message) {
      return new AckWaits.Look<>(reply.setVerdict(verdict).setMessage(message).build(), true);
    }

    private static AckWaits.Look<DrainPodReply> waiting(
        DrainPodReply.Builder reply, String message, boolean late) {
      return new AckWaits.Look<>(reply.setMessage(message).build(), late);
    }

    static DrainPodReply last(DrainPodReply reply) {
      var last = reply.toBuilder().setDone(true);
      if (reply.getVerdict() == Verdict.WAITING) {
        last.setVerdict(Verdict.NOT_SAFE);
      }
      return last.build();
    }

    private Optional<DrainCheck.Past> past(Position at) {
      try {
        var then = history.at(at);
        return Optional.of(new DrainCheck.Past(then.image(), then.changed()));
      } catch (StatusRuntimeException | IllegalArgumentException _) {
        // forgotten; or this replica is behind the node, and will see when it is not
        return Optional.empty();
      }
    }
  }

  private static List<ServiceName> names(SortedSet<ObjectName> services) {
    return services.stream()
        .map(service ->
            ServiceName.newBuilder()
                .setNamespace(service.namespace())
                .setName(service.name())
                .build())
        .toList();
  }

  private static String words(SortedSet<ObjectName> services) {
    return services.stream().map(service -> "Service " + service).collect(Collectors.joining(", "));
  }
}
