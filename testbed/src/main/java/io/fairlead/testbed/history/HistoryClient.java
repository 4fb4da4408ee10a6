package io.fairlead.testbed.history;

import io.fairlead.api.ErrorReport;
import io.fairlead.testbed.history.Linearizability.Call;
import io.fairlead.testbed.history.Operation.Outcome;
import io.fairlead.testbed.history.Operation.Request;
import io.fairlead.testbed.history.Operation.Seen;
import io.fairlead.v1.ApplyServiceRequest;
import io.fairlead.v1.CreateServiceRequest;
import io.fairlead.v1.DeleteServiceRequest;
import io.fairlead.v1.GetServiceRequest;
import io.fairlead.v1.ListServicesRequest;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Service;
import io.fairlead.v1.ServicePort;
import io.fairlead.v1.ServiceReply;
import io.fairlead.v1.ServiceSpec;
import io.fairlead.v1.ServicesGrpc;
import io.grpc.Channel;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/**
 * A user who wants now this, now that of the Services of one namespace, one request at a time, and
 * tries again with the same request id at another replica while nobody can answer. What is wanted
 * comes from the seed alone, except for versions: those are the last that this user saw. One
 * thread.
 */
final class HistoryClient {
  /** Annotation: the request that stored the Service so. */
  static final String WRITER = "history.fairlead.io/writer";

  private static final Duration PATIENT = Duration.ofSeconds(5);
  private static final Duration IMPATIENT = Duration.ofMillis(200);

  private final int number;
  private final HistorySpec spec;
  private final List<Channel> replicas;
  private final History history;
  private final Random random;
  private final Map<String, String> versions = new HashMap<>();
  private int requests;

  /**
   * @param replicas a channel to each
   */
  HistoryClient(int number, HistorySpec spec, List<Channel> replicas, History history) {
    this.number = number;
    this.spec = spec;
    this.replicas = List.copyOf(replicas);
    this.history = history;
    this.random = new Random(spec.seed() * 1_000_003 + number);
  }

  /**
   * How one request is sent; drawn before it is, so that answers change nothing of the choices.
   *
   * @param first index of the replica that is asked first
   * @param attempts after which the user gives up
   * @param timeout of each attempt
   */
  private record Manner(int first, int attempts, Duration timeout, Duration pause) {}

  /** One request, until it is answered or given up; then thinks a while. */
  void next() throws InterruptedException {
    var request = draw();
    var manner =
        new Manner(
            random.nextInt(replicas.size()),
            random.nextInt(10) == 0 ? 1 : 8,
            random.nextInt(12) == 0 ? IMPATIENT : PATIENT,
            Duration.ofMillis(1 + random.nextInt(2 * spec.pauseMillis())));
    var id = "%s-%d-%d".formatted(spec.namespace(), number, requests++);
    long invoked = System.nanoTime();
    var ending = send(id, request, manner);
    long ended = System.nanoTime();
    var outcome = ending.outcome();
    var call =
        new Call<>(
            new Operation(id, request, outcome),
            invoked,
            outcome instanceof Outcome.Unknown ? OptionalLong.empty() : OptionalLong.of(ended));
    call.operation().seen().forEach(object -> versions.put(object.name(), object.version()));
    history.add(call);
    if (ending.earlier() && !outcome.writes()) {
      // none had been carried out when the last was decided, or its answer were this one's
      var late = new Operation(id, request, new Outcome.Unknown());
      history.add(new Call<>(late, ending.lastSent(), OptionalLong.empty()));
    }
    Thread.sleep(manner.pause());
  }

  /**
   * How a request ended.
   *
   * @param earlier whether an earlier attempt may still be on its way
   * @param lastSent when the attempt was sent that brought the outcome
   */
  private record Ending(Outcome outcome, boolean earlier, long lastSent) {}

  private Request draw() {
    int kind = random.nextInt(100);
    var name = "s" + random.nextInt(spec.names());
    var address = spec.addresses().get(random.nextInt(spec.addresses().size()));
    int how = random.nextInt(2);
    var expected = how == 0 ? Optional.ofNullable(versions.get(name)) : Optional.<String>empty();
    if (kind < 25) {
      return new Request.Create(name, Optional.empty());
    } else if (kind < 45) {
      return new Request.Create(name, Optional.of(address));
    } else if (kind < 60) {
      return new Request.Apply(name, expected);
    } else if (kind < 80) {
      return new Request.Delete(name, expected);
    } else if (kind < 96) {
      return new Request.Get(name);
    }
    return new Request.All();
  }

  private Ending send(String id, Request request, Manner manner) throws InterruptedException {
    boolean writes = !(request instanceof Request.Get || request instanceof Request.All);
    boolean doubt = false;
    long sent = System.nanoTime();
    for (int i = 0; i < manner.attempts(); i++) {
      sent = System.nanoTime();
      var stub =
          ServicesGrpc.newBlockingStub(replicas.get((manner.first() + i) % replicas.size()))
              .withDeadlineAfter(manner.timeout().toNanos(), TimeUnit.NANOSECONDS);
      try {
        return new Ending(ask(stub, id, request), doubt, sent);
      } catch (StatusRuntimeException e) {
        var refusal = refusal(e);
        if (refusal.isPresent()) {
          return new Ending(refusal.get(), doubt, sent);
        }
        doubt |= writes && !promisesNothing(e);
      }
      Thread.sleep(manner.pause()); // as a client does: not at once again
    }
    return new Ending(doubt ? new Outcome.Unknown() : new Outcome.Nothing(), false, sent);
  }

  private Outcome ask(ServicesGrpc.ServicesBlockingStub stub, String id, Request request) {
    return switch (request) {
      case Request.Create(var name, var address) ->
          stored(
              stub.create(
                  CreateServiceRequest.newBuilder()
                      .setRequestId(id)
                      .setService(service(id, name, address, Optional.empty()))
                      .build()));
      case Request.Apply(var name, var expected) ->
          stored(
              stub.apply(
                  ApplyServiceRequest.newBuilder()
                      .setRequestId(id)
                      .setService(service(id, name, Optional.empty(), expected))
                      .build()));
      case Request.Delete(var name, var expected) -> {
        var meta =
            stub.delete(
                    DeleteServiceRequest.newBuilder()
                        .setRequestId(id)
                        .setNamespace(spec.namespace())
                        .setName(name)
                        .setResourceVersion(expected.orElse(""))
                        .build())
                .getService()
                .getMetadata();
        yield new Outcome.Deleted(meta.getUid(), meta.getResourceVersion());
      }
      case Request.Get(var name) ->
          new Outcome.Found(
              seen(
                  stub.get(
                          GetServiceRequest.newBuilder()
                              .setNamespace(spec.namespace())
                              .setName(name)
                              .build())
                      .getService()));
      case Request.All() ->
          new Outcome.Listed(
              stub
                  .list(ListServicesRequest.newBuilder().setNamespace(spec.namespace()).build())
                  .getItemsList()
                  .stream()
                  .map(HistoryClient::seen)
                  .toList());
    };
  }

  private Service service(
      String id, String name, Optional<String> address, Optional<String> expected) {
    return Service.newBuilder()
        .setMetadata(
            ObjectMeta.newBuilder()
                .setNamespace(spec.namespace())
                .setName(name)
                .setResourceVersion(expected.orElse(""))
                .putAnnotations(WRITER, id))
        .setSpec(
            ServiceSpec.newBuilder()
                .setClusterIp(address.orElse(""))
                .addPorts(ServicePort.newBuilder().setPort(80)))
        .build();
  }

  private static Outcome stored(ServiceReply reply) {
    return switch (reply.getResult()) {
      case CREATED -> new Outcome.Created(seen(reply.getService()));
      case CONFIGURED -> new Outcome.Changed(seen(reply.getService()));
      case UNCHANGED, DELETED, RESULT_UNSPECIFIED, UNRECOGNIZED ->
          throw new IllegalStateException("no answer to what was asked: " + reply);
    };
  }

  private static Seen seen(Service service) {
    var meta = service.getMetadata();
    return new Seen(
        meta.getName(),
        meta.getUid(),
        meta.getResourceVersion(),
        service.getSpec().getClusterIp(),
        meta.getAnnotationsOrDefault(WRITER, ""));
  }

  /** What the owner decided; empty where nobody did. */
  private static Optional<Outcome> refusal(StatusRuntimeException e) {
    var report = ErrorReport.of(e);
    if (report.reason().isEmpty()) {
      return switch (report.code()) {
        // a call that was broken off: UNKNOWN and INTERNAL are among the words of a reset stream
        case UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED, UNKNOWN, INTERNAL -> Optional.empty();
        default -> throw e;
      };
    }
    return switch (report.reason().get()) {
      case NAME_TAKEN -> Optional.of(new Outcome.NameTaken());
      case CLUSTER_IP_TAKEN ->
          Optional.of(
              new Outcome.AddressTaken(
                  report.metadata().getOrDefault("address", ""),
                  report.metadata().getOrDefault("holder", "")));
      case RANGE_FULL -> Optional.of(new Outcome.RangeFull());
      case STALE_VERSION -> Optional.of(new Outcome.Stale());
      case NOT_FOUND -> Optional.of(new Outcome.Missing());
      default -> {
        if (report.isTransient()) {
          yield Optional.empty();
        }
        throw e; // nothing of what is asked here may be answered so
      }
    };
  }

  /** Whether the answer says that this attempt did nothing and never will. */
  private static boolean promisesNothing(StatusRuntimeException e) {
    return ErrorReport.of(e).reason().stream()
        .anyMatch(reason ->
            switch (reason) {
              case NO_OWNER, DEPENDENCY_UNAVAILABLE, NOT_SYNCED, SHUTTING_DOWN -> true;
              default -> false;
            });
  }
}
