package io.fairlead.bench;

import io.fairlead.runtime.GrpcChannels;
import io.fairlead.runtime.HostPort;
import io.fairlead.testbed.cluster.Api;
import io.fairlead.v1.CreateServiceRequest;
import io.fairlead.v1.DeleteServiceRequest;
import io.fairlead.v1.Service;
import io.fairlead.v1.ServiceReply;
import io.fairlead.v1.ServicesGrpc;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;

/** Creates over one channel, as one program with many threads makes them. Thread-safe. */
final class CreateLoad implements AutoCloseable {
  private static final Duration CALL = Duration.ofSeconds(30);
  private static final int MOST_TRIES = 50;
  private static final int FILL_CLIENTS = 128;

  private static final Service TEMPLATE =
      Api.parse(
              """
              apiVersion: v1
              kind: Service
              metadata: {name: template, labels: {app: bench}}
              spec:
                selector: {app: nobody}
                ports: [{name: http, port: 80, targetPort: 8080}]
              """)
          .getFirst();

  private final ManagedChannel channel;
  private final LongAdder retries = new LongAdder();

  CreateLoad(HostPort address) {
    this(List.of(address), GrpcChannels.Spread.ONE);
  }

  CreateLoad(List<HostPort> addresses, GrpcChannels.Spread spread) {
    this.channel = GrpcChannels.of(addresses, spread);
  }

  private ServicesGrpc.ServicesBlockingStub services() {
    return ServicesGrpc.newBlockingStub(channel)
        .withDeadlineAfter(CALL.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** One try. */
  ServiceReply create(String name) {
    return services().create(request(name));
  }

  private static CreateServiceRequest request(String name) {
    return CreateServiceRequest.newBuilder()
        .setRequestId(UUID.randomUUID().toString())
        .setService(
            TEMPLATE.toBuilder().setMetadata(TEMPLATE.getMetadata().toBuilder().setName(name)))
        .build();
  }

  /** Creates {@code prefix-from} to {@code prefix-(to - 1)}; what was not available is retried. */
  Duration create(String prefix, int from, int to, int clients, Samples samples) throws Exception {
    return Clients.run(
        clients,
        to - from,
        samples,
        i -> {
          var request = request(prefix + "-" + (from + i));
          var _ = untilAnswered(() -> services().create(request));
        });
  }

  /** As fast as it goes. */
  void fill(String prefix, int from, int to) throws Exception {
    var _ = create(prefix, from, to, FILL_CLIENTS, new Samples());
  }

  /** Deletes {@code prefix-0} to {@code prefix-(count - 1)}. */
  void empty(String prefix, int count) throws Exception {
    var _ =
        Clients.run(
            FILL_CLIENTS,
            count,
            new Samples(),
            i -> {
              var request =
                  DeleteServiceRequest.newBuilder()
                      .setRequestId(UUID.randomUUID().toString())
                      .setName(prefix + "-" + i)
                      .build();
              var _ = untilAnswered(() -> services().delete(request));
            });
  }

  /** The same request again, with its id, where it was not available: as programs do. */
  private ServiceReply untilAnswered(Supplier<ServiceReply> call) {
    for (int tries = 1; ; tries++) {
      try {
        return call.get();
      } catch (StatusRuntimeException e) {
        if (e.getStatus().getCode() != Status.Code.UNAVAILABLE || tries == MOST_TRIES) {
          throw e;
        }
        retries.increment();
      }
    }
  }

  /** How many requests were sent again. */
  long retries() {
    return retries.sum();
  }

  /** Bytes of a Service as it is answered. */
  int sizeOfOne() throws Exception {
    int size = create("size-0").getService().getSerializedSize();
    empty("size", 1);
    return size;
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }
}
