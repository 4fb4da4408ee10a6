package io.fairlead.dns.client;

import io.fairlead.core.model.Address;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.v1.ApplyPodRequest;
import io.fairlead.v1.Container;
import io.fairlead.v1.ContainerPort;
import io.fairlead.v1.DeletePodRequest;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Pod;
import io.fairlead.v1.PodSpec;
import io.fairlead.v1.PodStatus;
import io.fairlead.v1.PodsGrpc;
import io.grpc.Channel;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes this server a Pod {@code kube-system/kube-dns-<replica>} with the label of the cluster's
 * DNS Service, through the Pod API like any other client; says so again from time to time, so that
 * a record that was lost comes back; takes it away on close. Owns one virtual thread.
 */
public final class PodRegistration implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PodRegistration.class);
  static final String NAMESPACE = "kube-system";
  static final String LABEL = "k8s-app";
  static final String LABEL_VALUE = "kube-dns";
  private static final Duration PERIOD = Duration.ofSeconds(10);
  private static final Duration RETRY = Duration.ofSeconds(1);
  private static final Duration DEADLINE = Duration.ofSeconds(5);

  private final PodsGrpc.PodsBlockingStub pods;
  private final Pod pod;
  private final BooleanSupplier serving;
  private final Time time;
  private final RandomSource random;
  private final Thread thread;
  private boolean registered; // the thread's own, read after it ended

  private PodRegistration(
      Channel endpoints,
      String replica,
      Address address,
      int port,
      BooleanSupplier serving,
      Time time,
      RandomSource random) {
    this.pods = PodsGrpc.newBlockingStub(endpoints);
    this.pod = pod(replica, address, port);
    this.serving = serving;
    this.time = time;
    this.random = random;
    this.thread = Thread.ofVirtual().name("dns-registration").unstarted(this::run);
  }

  /**
   * @param port where DNS listens
   * @param serving registers only once it is true: a Pod that cannot answer yet must not get
   *     queries
   */
  public static PodRegistration start(
      Channel endpoints,
      String replica,
      Address address,
      int port,
      BooleanSupplier serving,
      Time time,
      RandomSource random) {
    var registration =
        new PodRegistration(endpoints, replica, address, port, serving, time, random);
    registration.thread.start();
    return registration;
  }

  private static Pod pod(String replica, Address address, int port) {
    return Pod.newBuilder()
        .setMetadata(
            ObjectMeta.newBuilder()
                .setNamespace(NAMESPACE)
                .setName("kube-dns-" + replica)
                .putLabels(LABEL, LABEL_VALUE))
        .setSpec(
            PodSpec.newBuilder()
                .addContainers(
                    Container.newBuilder()
                        .setName("dns")
                        .addPorts(containerPort("dns", "UDP", port))
                        .addPorts(containerPort("dns-tcp", "TCP", port))))
        .setStatus(
            PodStatus.newBuilder()
                .setPhase("Running")
                .setPodIp(address.toString())
                .addPodIps(address.toString()))
        .setSource("dns/" + replica)
        .build();
  }

  private static ContainerPort containerPort(String name, String protocol, int port) {
    return ContainerPort.newBuilder()
        .setName(name)
        .setProtocol(protocol)
        .setContainerPort(port)
        .build();
  }

  private void run() {
    try {
      while (true) {
        if (!serving.getAsBoolean()) {
          time.sleep(RETRY);
          continue;
        }
        time.sleep(register() ? PERIOD : RETRY);
      }
    } catch (InterruptedException _) {
      // closed
    }
  }

  private boolean register() {
    try {
      pods.withDeadlineAfter(DEADLINE.toMillis(), TimeUnit.MILLISECONDS)
          .apply(
              ApplyPodRequest.newBuilder()
                  .setRequestId(random.uuid().toString())
                  .setPod(pod)
                  .build());
      if (!registered) {
        registered = true;
        LOG.atInfo()
            .addKeyValue("event", "dns.registered")
            .addKeyValue("object", NAMESPACE + "/" + pod.getMetadata().getName())
            .log("Registered as a Pod");
      }
      return true;
    } catch (StatusRuntimeException e) {
      LOG.atWarn()
          .addKeyValue("cause", e.getStatus())
          .log("Cannot register as a Pod, will try again");
      return false;
    }
  }

  @Override
  public void close() {
    thread.interrupt();
    try {
      thread.join();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return;
    }
    if (!registered) {
      return;
    }
    try {
      pods.withDeadlineAfter(DEADLINE.toMillis(), TimeUnit.MILLISECONDS)
          .delete(
              DeletePodRequest.newBuilder()
                  .setRequestId(random.uuid().toString())
                  .setNamespace(NAMESPACE)
                  .setName(pod.getMetadata().getName())
                  .build());
    } catch (StatusRuntimeException e) {
      LOG.atWarn().addKeyValue("cause", e.getStatus()).log("Cannot take this server's Pod away");
    }
  }
}
