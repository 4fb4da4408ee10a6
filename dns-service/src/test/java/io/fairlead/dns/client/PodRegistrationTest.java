package io.fairlead.dns.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.PodLease;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.v1.ApplyPodRequest;
import io.fairlead.v1.DeletePodRequest;
import io.fairlead.v1.Pod;
import io.fairlead.v1.PodReply;
import io.fairlead.v1.PodsGrpc.PodsImplBase;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Against an in-process Pod API that keeps Pods in a map. */
@Timeout(30)
class PodRegistrationTest {
  private static final String NAME = "kube-system/kube-dns-dns-0";

  private final PodsInAMap api = new PodsInAMap();
  private final AtomicBoolean serving = new AtomicBoolean();
  private final AddressToBeFound address = new AddressToBeFound();
  private Server server;
  private ManagedChannel channel;

  @BeforeEach
  void open() throws IOException {
    var name = InProcessServerBuilder.generateName();
    server = InProcessServerBuilder.forName(name).addService(api).build().start();
    channel = InProcessChannelBuilder.forName(name).build();
  }

  @AfterEach
  void close() {
    channel.shutdownNow();
    server.shutdownNow();
  }

  private PodRegistration start() {
    return PodRegistration.start(
        channel,
        "dns-0",
        address,
        53,
        serving::get,
        Duration.ofMillis(10),
        Time.system(),
        RandomSource.seeded(7));
  }

  @Test
  void isAPodWithALeaseWhileItServes() {
    try (var _ = start()) {
      serving.set(true);
      await("registered").until(() -> api.pods.containsKey(NAME));
      var pod = java.util.Objects.requireNonNull(api.pods.get(NAME));
      assertThat(pod.getMetadata().getLabelsMap()).containsEntry("k8s-app", "kube-dns");
      assertThat(PodLease.of(pod.getMetadata().getAnnotationsMap()))
          .contains(PodRegistration.LEASE);
      assertThat(pod.getStatus().getPodIp()).isEqualTo("172.30.0.2");

      serving.set(false);
      await("taken away").until(() -> api.pods.isEmpty());

      serving.set(true);
      await("registered again").until(() -> api.pods.containsKey(NAME));
    }
    assertThat(api.pods).isEmpty();
  }

  /** It was killed and starts anew: until it has read the log, nobody may ask it. */
  @Test
  void takesAwayWhatItsLastRunLeft() {
    api.pods.put(NAME, Pod.getDefaultInstance());
    try (var _ = start()) {
      await("taken away").until(() -> api.pods.isEmpty());
    }
  }

  @Test
  void triesAgain() {
    api.away.set(true);
    serving.set(true);
    try (var _ = start()) {
      await("asked").until(() -> api.calls.get() >= 3);
      api.away.set(false);
      await("registered").until(() -> api.pods.containsKey(NAME));
    }
    assertThat(api.pods).isEmpty();
  }

  @Test
  void waitsUntilItKnowsItsAddress() {
    address.found = Optional.empty();
    serving.set(true);
    try (var _ = start()) {
      await("looked for").until(() -> address.looks.get() >= 2);
      assertThat(api.pods).isEmpty();
      address.found = Optional.of(Address.of("172.30.0.9"));
      await("registered").until(() -> api.pods.containsKey(NAME));
      var pod = java.util.Objects.requireNonNull(api.pods.get(NAME));
      assertThat(pod.getStatus().getPodIpsList()).containsExactly("172.30.0.9");
    }
  }

  private static final class AddressToBeFound implements OwnAddress {
    final AtomicInteger looks = new AtomicInteger();
    volatile Optional<Address> found = Optional.of(Address.of("172.30.0.2"));

    @Override
    public Optional<Address> find() {
      looks.incrementAndGet();
      return found;
    }

    @Override
    public String trouble() {
      return "nobody there";
    }
  }

  private static final class PodsInAMap extends PodsImplBase {
    final Map<String, Pod> pods = new ConcurrentHashMap<>();
    final AtomicBoolean away = new AtomicBoolean();
    final AtomicInteger calls = new AtomicInteger();

    @Override
    public void apply(ApplyPodRequest request, StreamObserver<PodReply> replies) {
      calls.incrementAndGet();
      if (away.get()) {
        replies.onError(Status.UNAVAILABLE.asRuntimeException());
        return;
      }
      var meta = request.getPod().getMetadata();
      pods.put(meta.getNamespace() + "/" + meta.getName(), request.getPod());
      replies.onNext(PodReply.newBuilder().setPod(request.getPod()).build());
      replies.onCompleted();
    }

    @Override
    public void delete(DeletePodRequest request, StreamObserver<PodReply> replies) {
      var gone = pods.remove(request.getNamespace() + "/" + request.getName());
      if (gone == null) {
        replies.onError(Status.NOT_FOUND.asRuntimeException());
        return;
      }
      replies.onNext(PodReply.getDefaultInstance());
      replies.onCompleted();
    }
  }
}
