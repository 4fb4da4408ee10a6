package io.fairlead.api;

import io.fairlead.core.decide.PodDraft;
import io.fairlead.core.decide.PodDraft.ContainerDraft;
import io.fairlead.core.decide.PodDraft.ContainerPortDraft;
import io.fairlead.core.decide.PodDraft.HttpGetDraft;
import io.fairlead.core.decide.PodDraft.ProbeDraft;
import io.fairlead.core.decide.PodDraft.TcpSocketDraft;
import io.fairlead.core.decide.PodStatusDraft;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PortRef;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.view.PodCondition;
import io.fairlead.v1.Container;
import io.fairlead.v1.ContainerPort;
import io.fairlead.v1.HttpGetAction;
import io.fairlead.v1.PodSpec;
import io.fairlead.v1.PodStatus;
import io.fairlead.v1.Probe;
import io.fairlead.v1.TcpSocketAction;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeMap;

/** Pods: what users and sources send, as drafts; what is stored, whole and back. */
public final class PodCodec {
  private PodCodec() {}

  /** What was sent, unchecked. What only the server sets is ignored. */
  public static PodDraft draft(io.fairlead.v1.Pod proto) {
    var meta = proto.getMetadata();
    var spec = proto.getSpec();
    var status = proto.getStatus();
    return new PodDraft(
        meta.getNamespace(),
        meta.getName(),
        meta.getLabelsMap(),
        meta.getAnnotationsMap(),
        meta.getResourceVersion(),
        meta.getUid(),
        proto.getSource(),
        spec.getNodeName(),
        spec.getHostNetwork(),
        spec.getHostname(),
        spec.getSubdomain(),
        spec.getContainersList().stream().map(PodCodec::draft).toList(),
        spec.getRestartPolicy(),
        spec.hasTerminationGracePeriodSeconds()
            ? OptionalLong.of(spec.getTerminationGracePeriodSeconds())
            : OptionalLong.empty(),
        status.getPhase(),
        status.getPodIp(),
        status.getPodIpsList(),
        status.getReason());
  }

  private static ContainerDraft draft(Container container) {
    return new ContainerDraft(
        container.getName(),
        container.getImage(),
        container.getCommandList(),
        container.getArgsList(),
        container.getEnvMap(),
        container.getPortsList().stream()
            .map(p -> new ContainerPortDraft(p.getName(), p.getProtocol(), p.getContainerPort()))
            .toList(),
        container.hasReadinessProbe()
            ? Optional.of(draft(container.getReadinessProbe()))
            : Optional.empty(),
        container.getWorkingDir());
  }

  private static ProbeDraft draft(Probe probe) {
    return new ProbeDraft(
        probe.hasHttpGet() ? Optional.of(draft(probe.getHttpGet())) : Optional.empty(),
        probe.hasTcpSocket()
            ? Optional.of(
                new TcpSocketDraft(probe.getTcpSocket().getHost(), probe.getTcpSocket().getPort()))
            : Optional.empty(),
        probe.hasInitialDelaySeconds()
            ? OptionalInt.of(probe.getInitialDelaySeconds())
            : OptionalInt.empty(),
        probe.hasPeriodSeconds() ? OptionalInt.of(probe.getPeriodSeconds()) : OptionalInt.empty(),
        probe.hasTimeoutSeconds() ? OptionalInt.of(probe.getTimeoutSeconds()) : OptionalInt.empty(),
        probe.hasSuccessThreshold()
            ? OptionalInt.of(probe.getSuccessThreshold())
            : OptionalInt.empty(),
        probe.hasFailureThreshold()
            ? OptionalInt.of(probe.getFailureThreshold())
            : OptionalInt.empty());
  }

  private static HttpGetDraft draft(HttpGetAction action) {
    return new HttpGetDraft(
        action.getScheme(),
        action.getHost(),
        action.getPort(),
        action.getPath(),
        action.getHttpHeadersMap());
  }

  /** As stored, with whether it is ready and why; without a version where it is pending. */
  public static io.fairlead.v1.Pod proto(Versioned<Pod> pod, PodCondition condition) {
    var proto =
        proto(pod.object(), pod.isPending() ? OptionalLong.empty() : OptionalLong.of(pod.offset()))
            .toBuilder();
    var status =
        proto.getStatusBuilder().setReady(condition.ready()).setReadyReason(condition.reason());
    for (var container : status.getContainerStatusesBuilderList()) {
      container.setReady(
          container.getState().hasRunning()
              && (condition.ready() || !hasProbe(pod.object(), container.getName())));
    }
    condition.since().ifPresent(since -> status.setReadySince(Timestamps.proto(since)));
    return proto.build();
  }

  private static boolean hasProbe(Pod pod, String container) {
    return pod.spec().containers().stream()
        .anyMatch(c -> c.name().equals(container) && c.readinessProbe().isPresent());
  }

  /** What something that runs a Pod sent of it, unchecked. What only the server sets is ignored. */
  public static PodStatusDraft draft(PodStatus status) {
    return new PodStatusDraft(
        status.getPhase(),
        status.getPodIp(),
        status.getPodIpsList(),
        status.getReason(),
        status.getMessage(),
        status.getContainerStatusesList().stream().map(ContainerCodec::draft).toList());
  }

  /** As stored, without its readiness. */
  public static io.fairlead.v1.Pod proto(Pod pod, OptionalLong version) {
    var meta = Metas.proto(pod.meta(), version);
    pod.status().deleting().ifPresent(at -> meta.setDeletionTimestamp(Timestamps.proto(at)));
    var spec =
        PodSpec.newBuilder()
            .setHostNetwork(pod.spec().hostNetwork())
            .setRestartPolicy(pod.spec().restartPolicy().text())
            .setTerminationGracePeriodSeconds(pod.spec().terminationGrace().toSeconds());
    pod.spec().nodeName().ifPresent(spec::setNodeName);
    pod.spec().hostname().ifPresent(spec::setHostname);
    pod.spec().subdomain().ifPresent(spec::setSubdomain);
    pod.spec().containers().forEach(c -> spec.addContainers(proto(c)));
    var status =
        PodStatus.newBuilder()
            .setPhase(pod.status().phase().text())
            .setReason(pod.status().reason())
            .setMessage(pod.status().message());
    pod.status().containers().forEach(c -> status.addContainerStatuses(ContainerCodec.proto(c)));
    pod.status().ips().stream().findFirst().ifPresent(ip -> status.setPodIp(ip.toString()));
    pod.status().ips().forEach(ip -> status.addPodIps(ip.toString()));
    return io.fairlead.v1.Pod.newBuilder()
        .setMetadata(meta)
        .setSpec(spec)
        .setStatus(status)
        .setSource(pod.source())
        .build();
  }

  private static Container proto(Pod.Container container) {
    var proto =
        Container.newBuilder()
            .setName(container.name())
            .setImage(container.image())
            .addAllCommand(container.command())
            .addAllArgs(container.args())
            .putAllEnv(container.env());
    for (var port : container.ports()) {
      proto.addPorts(
          ContainerPort.newBuilder()
              .setName(port.name())
              .setProtocol(port.protocol().name())
              .setContainerPort(port.containerPort()));
    }
    container.readinessProbe().ifPresent(probe -> proto.setReadinessProbe(proto(probe)));
    container.workingDir().ifPresent(proto::setWorkingDir);
    return proto.build();
  }

  private static Probe proto(Pod.Probe probe) {
    var proto =
        Probe.newBuilder()
            .setInitialDelaySeconds(Math.toIntExact(probe.initialDelay().toSeconds()))
            .setPeriodSeconds(Math.toIntExact(probe.period().toSeconds()))
            .setTimeoutSeconds(Math.toIntExact(probe.timeout().toSeconds()))
            .setSuccessThreshold(probe.successThreshold())
            .setFailureThreshold(probe.failureThreshold());
    switch (probe.action()) {
      case Pod.HttpGet(var scheme, var host, var port, var path, var headers) -> {
        var http =
            proto
                .getHttpGetBuilder()
                .setScheme(scheme.name())
                .setPort(port.toString())
                .setPath(path)
                .putAllHttpHeaders(headers);
        host.ifPresent(http::setHost);
      }
      case Pod.TcpSocket(var host, var port) -> {
        var tcp = proto.getTcpSocketBuilder().setPort(port.toString());
        host.ifPresent(tcp::setHost);
      }
    }
    return proto.build();
  }

  /**
   * What {@link #proto} wrote.
   *
   * @throws IllegalArgumentException it is something else
   */
  public static Pod model(io.fairlead.v1.Pod proto) {
    var meta = proto.getMetadata();
    var spec = proto.getSpec();
    var status = proto.getStatus();
    return new Pod(
        Metas.model(meta),
        new Pod.Spec(
            Metas.present(spec.getNodeName()),
            spec.getHostNetwork(),
            Metas.present(spec.getHostname()),
            Metas.present(spec.getSubdomain()),
            spec.getContainersList().stream().map(PodCodec::model).toList(),
            Metas.constant(
                Pod.RestartPolicy.values(), Pod.RestartPolicy::text, spec.getRestartPolicy()),
            Duration.ofSeconds(spec.getTerminationGracePeriodSeconds())),
        new Pod.Status(
            Metas.constant(Pod.Phase.values(), Pod.Phase::text, status.getPhase()),
            status.getPodIpsList().stream().map(Address::of).toList(),
            status.getReason(),
            status.getMessage(),
            status.getContainerStatusesList().stream().map(ContainerCodec::model).toList(),
            meta.hasDeletionTimestamp()
                ? Optional.of(Timestamps.model(meta.getDeletionTimestamp()))
                : Optional.empty()),
        proto.getSource());
  }

  private static Pod.Container model(Container proto) {
    return new Pod.Container(
        proto.getName(),
        proto.getImage(),
        proto.getCommandList(),
        proto.getArgsList(),
        new TreeMap<>(proto.getEnvMap()),
        proto.getPortsList().stream()
            .map(p ->
                new Pod.ContainerPort(
                    p.getName(), Protocol.valueOf(p.getProtocol()), p.getContainerPort()))
            .toList(),
        proto.hasReadinessProbe()
            ? Optional.of(model(proto.getReadinessProbe()))
            : Optional.empty(),
        Metas.present(proto.getWorkingDir()));
  }

  private static Pod.Probe model(Probe proto) {
    return new Pod.Probe(
        proto.hasHttpGet() ? model(proto.getHttpGet()) : model(proto.getTcpSocket()),
        Duration.ofSeconds(proto.getInitialDelaySeconds()),
        Duration.ofSeconds(proto.getPeriodSeconds()),
        Duration.ofSeconds(proto.getTimeoutSeconds()),
        proto.getSuccessThreshold(),
        proto.getFailureThreshold());
  }

  private static Pod.Action model(HttpGetAction proto) {
    return new Pod.HttpGet(
        Pod.Scheme.valueOf(proto.getScheme()),
        Metas.present(proto.getHost()),
        port(proto.getPort()),
        proto.getPath(),
        new TreeMap<>(proto.getHttpHeadersMap()));
  }

  private static Pod.Action model(TcpSocketAction proto) {
    return new Pod.TcpSocket(Metas.present(proto.getHost()), port(proto.getPort()));
  }

  private static PortRef port(String text) {
    return Metas.isNumber(text)
        ? new PortRef.Number(Integer.parseInt(text))
        : new PortRef.Name(text);
  }
}
