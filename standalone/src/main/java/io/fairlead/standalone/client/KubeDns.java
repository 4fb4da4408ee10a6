package io.fairlead.standalone.client;

import io.fairlead.api.ErrorReport;
import io.fairlead.api.Reason;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.runtime.GrpcChannels;
import io.fairlead.runtime.HostPort;
import io.fairlead.v1.CreateServiceRequest;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Service;
import io.fairlead.v1.ServicePort;
import io.fairlead.v1.ServiceSpec;
import io.fairlead.v1.ServicesGrpc;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * The Service {@code kube-system/kube-dns}, whose address Pods have in their resolv.conf. Its Pods
 * are the dns-services, which register themselves. Any thread.
 */
public final class KubeDns {
  /** Its ClusterIP. */
  public static final String ADDRESS = "10.96.0.10";

  private static final Duration ATTEMPT = Duration.ofSeconds(5);
  private static final Duration PAUSE = Duration.ofMillis(100);

  private KubeDns() {}

  /** What came of making it. */
  public sealed interface Made {
    record Created() implements Made {}

    /** With whatever somebody has made of it. */
    record WasThere() implements Made {}

    /** By the allocator, for good; in its words. */
    record Refused(String words) implements Made {}
  }

  /**
   * Makes it where there is none; goes on while nobody decides yet.
   *
   * @param limit for all attempts
   * @throws StatusRuntimeException nobody decided within the limit
   */
  public static Made make(List<HostPort> allocator, Duration limit, Time time, RandomSource random)
      throws InterruptedException {
    var channel = GrpcChannels.of(allocator);
    try {
      var request =
          CreateServiceRequest.newBuilder()
              .setRequestId(random.uuid().toString())
              .setService(service())
              .build();
      long end = time.nanoTime() + limit.toNanos();
      while (true) {
        try {
          var _ =
              ServicesGrpc.newBlockingStub(channel)
                  .withDeadlineAfter(ATTEMPT.toNanos(), TimeUnit.NANOSECONDS)
                  .create(request);
          return new Made.Created();
        } catch (StatusRuntimeException e) {
          var report = ErrorReport.of(e);
          if (report.reason().equals(Optional.of(Reason.NAME_TAKEN))) {
            return new Made.WasThere();
          }
          if (!report.isTransient() && report.code() != Code.DEADLINE_EXCEEDED) {
            return new Made.Refused(report.words());
          }
          if (time.nanoTime() - end > 0) {
            throw e;
          }
        }
        time.sleep(PAUSE);
        channel.resetConnectBackoff();
      }
    } finally {
      GrpcChannels.close(channel, Duration.ofSeconds(1));
    }
  }

  static Service service() {
    return Service.newBuilder()
        .setMetadata(
            ObjectMeta.newBuilder()
                .setNamespace("kube-system")
                .setName("kube-dns")
                .putLabels("k8s-app", "kube-dns"))
        .setSpec(
            ServiceSpec.newBuilder()
                .setClusterIp(ADDRESS)
                .putSelector("k8s-app", "kube-dns")
                .addPorts(port("dns", "UDP"))
                .addPorts(port("dns-tcp", "TCP")))
        .build();
  }

  private static ServicePort port(String name, String protocol) {
    return ServicePort.newBuilder()
        .setName(name)
        .setProtocol(protocol)
        .setPort(53)
        .setTargetPort("53")
        .build();
  }
}
