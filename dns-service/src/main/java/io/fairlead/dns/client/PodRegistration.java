package io.fairlead.dns.client;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.PodLease;
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
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes this server a Pod {@code kube-system/kube-dns-<replica>} with the label of the cluster's
 * DNS Service, through the Pod API like any other client. While it serves, it says so again well
 * within the Pod's lease, so that a server that ends without a word is soon asked no more; while it
 * does not serve, and on close, it takes the Pod away. Owns one virtual thread.
 */
public final class PodRegistration implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PodRegistration.class);
  static final String NAMESPACE = "kube-system";
  static final String LABEL = "k8s-app";
  static final String LABEL_VALUE = "kube-dns";

  /**
   * About as long a server that was killed is still asked; and that long one that is only slow, as
   * on a busy machine, has to renew it.
   */
  static final Duration LEASE = Duration.ofSeconds(20);

  /** A quarter of the lease: three renewals may fail. */
  private static final Duration PERIOD = LEASE.dividedBy(4);

  /** How often is looked whether it serves, and how soon is tried again. */
  private static final Duration LOOK = Duration.ofSeconds(1);

  private static final Duration DEADLINE = Duration.ofSeconds(5);

  private final PodsGrpc.PodsBlockingStub pods;
  private final String replica;
  private final OwnAddress address;
  private final int port;
  private final BooleanSupplier serving;
  private final Time time;
  private final RandomSource random;
  private final Thread thread;
  private final Duration look;

  // The thread's own, read after it ended.
  private State state = State.UNKNOWN;
  private String trouble = "";

  /** What is known of the Pod. */
  private enum State {
    /** One may be left from this replica's last run. */
    UNKNOWN,
    PRESENT,
    ABSENT
  }

  private PodRegistration(
      Channel endpoints,
      String replica,
      OwnAddress address,
      int port,
      BooleanSupplier serving,
      Duration look,
      Time time,
      RandomSource random) {
    this.pods = PodsGrpc.newBlockingStub(endpoints);
    this.replica = replica;
    this.address = address;
    this.port = port;
    this.serving = serving;
    this.look = look;
    this.time = time;
    this.random = random;
    this.thread = Thread.ofVirtual().name("dns-registration").unstarted(this::run);
  }

  /**
   * @param address looked for before each renewal
   * @param port where DNS listens
   * @param serving registered only while it is true: a Pod that cannot answer must not get queries
   */
  public static PodRegistration start(
      Channel endpoints,
      String replica,
      OwnAddress address,
      int port,
      BooleanSupplier serving,
      Time time,
      RandomSource random) {
    return start(endpoints, replica, address, port, serving, LOOK, time, random);
  }

  /** As above, looking at {@code serving} as often as that. */
  static PodRegistration start(
      Channel endpoints,
      String replica,
      OwnAddress address,
      int port,
      BooleanSupplier serving,
      Duration look,
      Time time,
      RandomSource random) {
    var registration =
        new PodRegistration(endpoints, replica, address, port, serving, look, time, random);
    registration.thread.start();
    return registration;
  }

  private String podName() {
    return "kube-dns-" + replica;
  }

  private Pod pod(Address ip) {
    return Pod.newBuilder()
        .setMetadata(
            ObjectMeta.newBuilder()
                .setNamespace(NAMESPACE)
                .setName(podName())
                .putLabels(LABEL, LABEL_VALUE)
                .putAnnotations(PodLease.ANNOTATION, Long.toString(LEASE.toSeconds())))
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
                .setPodIp(ip.toString())
                .addPodIps(ip.toString()))
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
    long renewNanos = time.nanoTime();
    try {
      while (true) {
        try {
          if (!serving.getAsBoolean()) {
            if (state != State.ABSENT) {
              unregister();
            }
          } else if (state != State.PRESENT || time.nanoTime() - renewNanos >= 0) {
            renewNanos = time.nanoTime() + (register() ? PERIOD.toNanos() : 0);
          }
        } catch (RuntimeException e) { // else nobody would renew the lease
          LOG.atError().setCause(e).log("Registration failed, will try again");
        }
        time.sleep(look);
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt(); // closed
    }
  }

  private boolean register() {
    var ip = address.find();
    if (ip.isEmpty()) {
      failed(address.trouble(), "This server's own address is not known yet, will try again");
      return false;
    }
    try {
      pods.withDeadlineAfter(DEADLINE.toMillis(), TimeUnit.MILLISECONDS)
          .apply(
              ApplyPodRequest.newBuilder()
                  .setRequestId(random.uuid().toString())
                  .setPod(pod(ip.get()))
                  .build());
      changed(State.PRESENT, "dns.registered");
      return true;
    } catch (StatusRuntimeException e) {
      if (state == State.ABSENT) {
        state = State.UNKNOWN; // the call may have gone through
      }
      failed(words(e.getStatus()), "Cannot register as a Pod, will try again");
      return false;
    }
  }

  private void unregister() {
    try {
      pods.withDeadlineAfter(DEADLINE.toMillis(), TimeUnit.MILLISECONDS)
          .delete(
              DeletePodRequest.newBuilder()
                  .setRequestId(random.uuid().toString())
                  .setNamespace(NAMESPACE)
                  .setName(podName())
                  .setGracePeriodSeconds(0)
                  .build());
      changed(State.ABSENT, "dns.unregistered");
    } catch (StatusRuntimeException e) {
      if (e.getStatus().getCode() == Status.Code.NOT_FOUND) {
        changed(State.ABSENT, "dns.unregistered");
      } else {
        failed(words(e.getStatus()), "Cannot take this server's Pod away, its lease will");
      }
    }
  }

  private void changed(State next, String event) {
    trouble = "";
    if (state != next) {
      state = next;
      LOG.atInfo()
          .addKeyValue("event", event)
          .addKeyValue("object", NAMESPACE + "/" + podName())
          .log("Registration changed");
    }
  }

  /** In one line: a status that is printed shows its cause with the whole stack. */
  private static String words(Status status) {
    var said = Optional.ofNullable(status.getDescription()).map(text -> ": " + text).orElse("");
    var cause = Optional.ofNullable(status.getCause()).map(Throwable::getMessage);
    return status.getCode() + said + cause.map(text -> ": " + text).orElse("");
  }

  /** Repeats are not repeated. */
  private void failed(String cause, String message) {
    if (!cause.equals(trouble)) {
      trouble = cause;
      LOG.atWarn().addKeyValue("cause", cause).log(message);
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
    if (state != State.ABSENT) { // also where the last call was cut short
      unregister();
    }
  }
}
