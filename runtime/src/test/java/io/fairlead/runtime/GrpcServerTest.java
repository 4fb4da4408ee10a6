package io.fairlead.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.fairlead.core.model.Cidr;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import io.fairlead.runtime.GrpcServer.Readiness;
import io.fairlead.runtime.GrpcServer.Settings;
import io.fairlead.v1.LogGrpc;
import io.fairlead.v1.LogStatusReply;
import io.fairlead.v1.LogStatusRequest;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.reflection.v1.ServiceResponse;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class GrpcServerTest {
  private static final HostPort ANY = HostPort.of("127.0.0.1:0");

  private interface Handler {
    void status(StreamObserver<LogStatusReply> answer) throws InterruptedException;
  }

  /** A replica that answers as the test wants. */
  private static final class Replica extends LogGrpc.LogImplBase {
    private final Handler handler;

    Replica(Handler handler) {
      this.handler = handler;
    }

    static Replica named(String name) {
      return new Replica(answer -> {
        answer.onNext(LogStatusReply.newBuilder().setReplica(name).build());
        answer.onCompleted();
      });
    }

    @Override
    public void status(LogStatusRequest request, StreamObserver<LogStatusReply> answer) {
      try {
        handler.status(answer);
      } catch (InterruptedException _) {
        answer.onError(Status.CANCELLED.asRuntimeException());
      }
    }
  }

  private final Shutdown open = new Shutdown();
  private final Metrics metrics = new Metrics();

  @AfterEach
  void close() {
    open.close();
  }

  private GrpcServer server(Replica replica, Settings settings) {
    return open.opened(
        "server", GrpcServer.start(settings, List.of(replica), List.of(), new Metrics()));
  }

  private ManagedChannel channel(GrpcChannels.Spread spread, HostPort... addresses) {
    var channel = GrpcChannels.of(List.of(addresses), spread);
    open.onClose("channel", () -> GrpcChannels.close(channel, Duration.ofSeconds(1)));
    return channel;
  }

  private ManagedChannel channel(GrpcServer server) {
    return channel(GrpcChannels.Spread.FIRST, ANY.withPort(server.port()));
  }

  private static String ask(ManagedChannel channel) {
    return LogGrpc.newBlockingStub(channel)
        .withDeadlineAfter(30, TimeUnit.SECONDS)
        .status(LogStatusRequest.getDefaultInstance())
        .getReplica();
  }

  @Test
  void answersOnVirtualThreads() {
    var virtual = new AtomicBoolean();
    var server =
        server(
            new Replica(answer -> {
              virtual.set(Thread.currentThread().isVirtual());
              answer.onNext(LogStatusReply.getDefaultInstance());
              answer.onCompleted();
            }),
            Settings.listening(ANY));
    ask(channel(server));
    assertThat(virtual).isTrue();
  }

  @Test
  void servesOnlyThoseThatAreAllowed() {
    var one = Settings.listening(ANY).withAllowFrom(List.of(Cidr.of("127.0.0.1/32")));
    assertThat(ask(channel(server(Replica.named("a"), one)))).isEqualTo("a");
    var other =
        Settings.listening(ANY).withAllowFrom(List.of(Cidr.of("::1/128"), Cidr.of("10.0.0.0/8")));
    var refusing = channel(server(Replica.named("b"), other));
    assertThatThrownBy(() -> ask(refusing))
        .isInstanceOf(StatusRuntimeException.class)
        .hasMessageContaining("PERMISSION_DENIED")
        .hasMessageContaining("--allow-from");
  }

  @Test
  void saysWhetherItServes() {
    var server = server(Replica.named("a"), Settings.listening(ANY));
    var stub = HealthGrpc.newBlockingStub(channel(server));
    var all = HealthCheckRequest.getDefaultInstance();
    var one = HealthCheckRequest.newBuilder().setService("fairlead.v1.Log").build();
    assertThat(stub.check(all).getStatus()).isEqualTo(ServingStatus.NOT_SERVING);
    server.readiness(Readiness.READY);
    assertThat(stub.check(all).getStatus()).isEqualTo(ServingStatus.SERVING);
    assertThat(stub.check(one).getStatus()).isEqualTo(ServingStatus.SERVING);
    server.readiness(Readiness.NOT_READY);
    assertThat(stub.check(one).getStatus()).isEqualTo(ServingStatus.NOT_SERVING);
  }

  @Test
  void listsItsServicesByReflection() throws Exception {
    var server = server(Replica.named("a"), Settings.listening(ANY));
    var names = new CompletableFuture<List<String>>();
    var requests =
        ServerReflectionGrpc.newStub(channel(server))
            .serverReflectionInfo(
                new StreamObserver<ServerReflectionResponse>() {
                  @Override
                  public void onNext(ServerReflectionResponse response) {
                    names.complete(
                        response.getListServicesResponse().getServiceList().stream()
                            .map(ServiceResponse::getName)
                            .toList());
                  }

                  @Override
                  public void onError(Throwable t) {
                    names.completeExceptionally(t);
                  }

                  @Override
                  public void onCompleted() {}
                });
    requests.onNext(ServerReflectionRequest.newBuilder().setListServices("*").build());
    assertThat(names.get(30, TimeUnit.SECONDS))
        .contains(
            "fairlead.v1.Log",
            "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection");
    requests.onCompleted();
  }

  @Test
  void turnsTroubleOutsideIntoUnavailable() {
    var server =
        server(
            new Replica(_ -> {
              throw new GatewayException(Outcome.UNKNOWN, "commit timed out");
            }),
            Settings.listening(ANY));
    assertThatThrownBy(() -> ask(channel(server))).hasMessage("UNAVAILABLE: commit timed out");
  }

  @Test
  void keepsTheWordsOfADefectToItself() {
    var server =
        server(
            new Replica(_ -> {
              throw new IllegalStateException("secret");
            }),
            Settings.listening(ANY));
    assertThatThrownBy(() -> ask(channel(server))).hasMessage("INTERNAL: internal fault");
  }

  @Test
  void letsRunningCallsEnd() throws Exception {
    var running = new CountDownLatch(1);
    var goOn = new CountDownLatch(1);
    var server =
        server(
            new Replica(answer -> {
              running.countDown();
              goOn.await();
              answer.onNext(LogStatusReply.newBuilder().setReplica("late").build());
              answer.onCompleted();
            }),
            Settings.listening(ANY).withDrain(Duration.ofSeconds(50)));
    var answer = new AtomicReference<String>("");
    var channel = channel(server);
    var asking = Thread.ofVirtual().start(() -> answer.set(ask(channel)));
    running.await();
    var closing = Thread.ofVirtual().start(server::close);
    await("new calls are refused")
        .atMost(Duration.ofSeconds(40))
        .until(() -> isRefused(ANY.withPort(server.port())));
    goOn.countDown();
    asking.join();
    closing.join();
    assertThat(answer).hasValue("late");
  }

  private boolean isRefused(HostPort address) {
    try {
      HealthGrpc.newBlockingStub(channel(GrpcChannels.Spread.FIRST, address))
          .withDeadlineAfter(5, TimeUnit.SECONDS)
          .check(HealthCheckRequest.getDefaultInstance());
      return false;
    } catch (StatusRuntimeException e) {
      return e.getStatus().getCode() == Status.Code.UNAVAILABLE;
    }
  }

  @Test
  void cancelsWhatDoesNotEnd() throws Exception {
    var running = new CountDownLatch(1);
    var server =
        server(
            new Replica(_ -> {
              running.countDown();
              new CountDownLatch(1).await();
            }),
            Settings.listening(ANY).withDrain(Duration.ofMillis(50)));
    var channel = channel(server);
    var failure = new CompletableFuture<Status.Code>();
    Thread.ofVirtual()
        .start(() -> {
          try {
            ask(channel);
          } catch (StatusRuntimeException e) {
            failure.complete(e.getStatus().getCode());
          }
        });
    running.await();
    server.close();
    assertThat(failure.get(30, TimeUnit.SECONDS))
        .isIn(Status.Code.UNAVAILABLE, Status.Code.CANCELLED);
  }

  @Test
  void namesThePortThatIsTaken() {
    var server = server(Replica.named("a"), Settings.listening(ANY));
    var taken = ANY.withPort(server.port());
    assertThatThrownBy(
            () -> GrpcServer.start(Settings.listening(taken), List.of(), List.of(), metrics))
        .isInstanceOf(ListenException.class)
        .hasMessage(
            "--listen=%s: cannot listen on port %d: another process listens there",
            taken, taken.port());
  }

  @Test
  void servesOnEveryAddress() {
    var four = server(Replica.named("before"), Settings.listening(ANY));
    var freed = ANY.withPort(four.port());
    four.close();
    var six = HostPort.of("[::1]:0");
    var both = server(Replica.named("both"), Settings.listening(List.of(six, freed)));
    assertThat(ask(channel(GrpcChannels.Spread.FIRST, six.withPort(both.port()))))
        .isEqualTo("both");
    assertThat(ask(channel(GrpcChannels.Spread.FIRST, freed))).isEqualTo("both");
  }

  @Test
  void failsOverToAReplicaThatIsThere() throws Exception {
    var first = server(Replica.named("a"), Settings.listening(ANY));
    var second = server(Replica.named("b"), Settings.listening(ANY));
    var channel =
        channel(
            GrpcChannels.Spread.FIRST,
            HostPort.of("no-such-host.invalid:7402"),
            ANY.withPort(first.port()),
            ANY.withPort(second.port()));
    assertThat(ask(channel)).isEqualTo("a");
    first.close();
    await("the other replica answers")
        .atMost(Duration.ofSeconds(40))
        .ignoreException(StatusRuntimeException.class)
        .until(() -> ask(channel).equals("b"));
  }

  @Test
  void spreadsSmallCallsOverAllReplicas() {
    var replicas = new ArrayList<HostPort>();
    for (var name : List.of("a", "b", "c")) {
      replicas.add(ANY.withPort(server(Replica.named(name), Settings.listening(ANY)).port()));
    }
    var channel = channel(GrpcChannels.Spread.ROUND_ROBIN, replicas.toArray(HostPort[]::new));
    Set<String> seen = new HashSet<>();
    await("all replicas were asked")
        .atMost(Duration.ofSeconds(40))
        .until(() -> {
          seen.add(ask(channel));
          return seen.size() == 3;
        });
  }

  @Test
  void namesTheHostsThatAreUnknown() {
    var channel = channel(GrpcChannels.Spread.FIRST, HostPort.of("no-such-host.invalid:7402"));
    assertThatThrownBy(() -> ask(channel))
        .hasMessageContaining("UNAVAILABLE")
        .hasMessageContaining("unknown host no-such-host.invalid");
  }

  @Test
  void reachesIpv6Addresses() {
    var server = server(Replica.named("six"), Settings.listening(HostPort.of("[::1]:0")));
    assertThat(ask(channel(GrpcChannels.Spread.FIRST, HostPort.of("[::1]:" + server.port()))))
        .isEqualTo("six");
  }

  @Test
  void countsItsCalls() throws Exception {
    var counted = new Metrics();
    var server =
        open.opened(
            "server",
            GrpcServer.start(
                Settings.listening(ANY), List.of(Replica.named("a")), List.of(), counted));
    ask(channel(server));
    await("the call is counted")
        .atMost(Duration.ofSeconds(40))
        .until(() ->
            counted
                .page("")
                .text()
                .contains(
                    "fairlead_grpc_server_calls_total{code=\"OK\",method=\"fairlead.v1.Log/Status\"} 1.0"));
  }
}
