package io.fairlead.api;

import io.fairlead.core.decide.PodDraft;
import io.fairlead.core.decide.PodDraft.ContainerDraft;
import io.fairlead.core.decide.PodDraft.ContainerPortDraft;
import io.fairlead.core.decide.PodDraft.ExecDraft;
import io.fairlead.core.decide.PodDraft.GrpcDraft;
import io.fairlead.core.decide.PodDraft.HttpGetDraft;
import io.fairlead.core.decide.PodDraft.ProbeDraft;
import io.fairlead.core.decide.PodDraft.TcpSocketDraft;
import io.fairlead.core.decide.PodStatusDraft;
import io.fairlead.core.decide.PodStatusDraft.ConditionDraft;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PodReadiness;
import io.fairlead.core.model.PortRef;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.view.PodCondition;
import io.fairlead.v1.Container;
import io.fairlead.v1.ContainerPort;
import io.fairlead.v1.HttpGetAction;
import io.fairlead.v1.PodReadinessGate;
import io.fairlead.v1.PodSpec;
import io.fairlead.v1.PodStatus;
import io.fairlead.v1.Probe;
import io.fairlead.v1.ReadinessTurn;
import io.fairlead.v1.TcpSocketAction;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;

/** Pods: what users and sources send, as drafts; what is stored, whole and back. */
public final class PodCodec {
  private static final String CONTAINERS_READY = "ContainersReady";
  private static final String READY = "Ready";

  /** Why a Pod is not ready that claims what an older one of its node has. */
  public static final String PORT_TAKEN = "PortTaken";

  /** The condition that is False of a Pod whose node there is not; absent of others. */
  public static final String SCHEDULED = "PodScheduled";

  /** Why: it may be a mistake, or the node is yet to come. */
  public static final String NODE_NOT_FOUND = "NodeNotFound";

  /** Conditions that are not stored. */
  private static final Set<String> DERIVED = Set.of(CONTAINERS_READY, READY, SCHEDULED);

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
        status.getReason(),
        spec.getInitContainersList().stream().map(PodCodec::draft).toList(),
        spec.getReadinessGatesList().stream().map(PodReadinessGate::getConditionType).toList(),
        spec.hasEnableServiceLinks()
            ? Optional.of(spec.getEnableServiceLinks())
            : Optional.empty());
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
        container.getWorkingDir(),
        container.hasStartupProbe()
            ? Optional.of(draft(container.getStartupProbe()))
            : Optional.empty(),
        container.getRestartPolicy());
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
            : OptionalInt.empty(),
        probe.hasExec()
            ? Optional.of(new ExecDraft(probe.getExec().getCommandList()))
            : Optional.empty(),
        probe.hasGrpc()
            ? Optional.of(new GrpcDraft(probe.getGrpc().getPort(), probe.getGrpc().getService()))
            : Optional.empty(),
        probe.hasTerminationGracePeriodSeconds()
            ? OptionalLong.of(probe.getTerminationGracePeriodSeconds())
            : OptionalLong.empty());
  }

  private static HttpGetDraft draft(HttpGetAction action) {
    return new HttpGetDraft(
        action.getScheme(), action.getHost(), action.getPort(), action.getPath(), headers(action));
  }

  private static List<Pod.HttpHeader> headers(HttpGetAction action) {
    return action.getHttpHeadersList().stream()
        .map(h -> new Pod.HttpHeader(h.getName(), h.getValue()))
        .toList();
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
              && (condition.containersReady() || !isProbed(pod.object(), container.getName())));
    }
    condition.since().ifPresent(since -> status.setReadySince(Timestamps.proto(since)));
    status.addConditions(derived(CONTAINERS_READY, condition.containersReady(), condition));
    status.addConditions(derived(READY, condition.ready(), condition));
    condition
        .reported()
        .ifPresent(reported -> {
          status.setReadinessTurns(reported.turns());
          reported.latest().forEach(turn -> status.addLatestReadinessTurns(proto(turn)));
        });
    return proto.build();
  }

  /** As callers see it: with what other objects of the image say of it. */
  public static io.fairlead.v1.Pod proto(ClusterImage image, Versioned<Pod> pod) {
    return seen(
        proto(pod, PodCondition.of(image.pods(), pod.object())),
        pod.object()
            .spec()
            .nodeName()
            .flatMap(image.nodes()::get)
            .map(node -> node.object().addresses()));
  }

  /**
   * With what is known of its node.
   *
   * @param node its addresses; empty where there is none of that name, or the Pod has none
   */
  public static io.fairlead.v1.Pod seen(io.fairlead.v1.Pod pod, Optional<List<Address>> node) {
    var seen = pod.toBuilder();
    if (node.isPresent()) {
      node.get().stream()
          .findFirst()
          .ifPresent(address -> seen.getStatusBuilder().setHostIp(address.toString()));
    } else if (!pod.getSpec().getNodeName().isEmpty()) {
      seen.getStatusBuilder()
          .addConditionsBuilder()
          .setType(SCHEDULED)
          .setStatus(Pod.Condition.State.FALSE.text())
          .setReason(NODE_NOT_FOUND)
          .setMessage(
              "there is no node \"%s\": spec.nodeName is wrong, or its agent has not connected yet"
                  .formatted(pod.getSpec().getNodeName()));
    }
    return seen.build();
  }

  private static io.fairlead.v1.PodCondition derived(
      String type, boolean met, PodCondition condition) {
    var proto =
        io.fairlead.v1.PodCondition.newBuilder()
            .setType(type)
            .setStatus((met ? Pod.Condition.State.TRUE : Pod.Condition.State.FALSE).text());
    if (!met || condition.ready()) { // else it is said why the whole is not
      proto.setMessage(condition.reason());
    }
    if (!met && condition.taken().isPresent()) {
      proto.setReason(PORT_TAKEN);
    }
    condition.since().ifPresent(since -> proto.setLastTransitionTime(Timestamps.proto(since)));
    return proto.build();
  }

  private static ReadinessTurn proto(PodReadiness.Turn turn) {
    return ReadinessTurn.newBuilder()
        .setReady(turn.ready())
        .setReason(turn.reason())
        .setTime(Timestamps.proto(turn.at()))
        .build();
  }

  private static boolean isProbed(Pod pod, String container) {
    return pod.spec().lasting().stream().anyMatch(c -> c.name().equals(container) && c.isProbed());
  }

  /** What somebody said of a Pod, unchecked. */
  public static ConditionDraft draft(io.fairlead.v1.PodCondition condition) {
    return new ConditionDraft(
        condition.getType(),
        condition.getStatus(),
        condition.getReason(),
        condition.getMessage(),
        ContainerCodec.time(condition.hasLastTransitionTime(), condition.getLastTransitionTime()));
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
    pod.spec().initContainers().forEach(c -> spec.addInitContainers(proto(c)));
    pod.spec().readinessGates().forEach(g -> spec.addReadinessGatesBuilder().setConditionType(g));
    if (!pod.spec().enableServiceLinks()) { // the default needs no words
      spec.setEnableServiceLinks(false);
    }
    var status =
        PodStatus.newBuilder()
            .setPhase(pod.status().phase().text())
            .setReason(pod.status().reason())
            .setMessage(pod.status().message());
    pod.status().containers().forEach(c -> status.addContainerStatuses(ContainerCodec.proto(c)));
    pod.status().ips().stream().findFirst().ifPresent(ip -> status.setPodIp(ip.toString()));
    pod.status().ips().forEach(ip -> status.addPodIps(ip.toString()));
    pod.status().conditions().forEach(c -> status.addConditions(proto(c)));
    return io.fairlead.v1.Pod.newBuilder()
        .setMetadata(meta)
        .setSpec(spec)
        .setStatus(status)
        .setSource(pod.source())
        .build();
  }

  private static io.fairlead.v1.PodCondition proto(Pod.Condition condition) {
    return io.fairlead.v1.PodCondition.newBuilder()
        .setType(condition.type())
        .setStatus(condition.state().text())
        .setReason(condition.reason())
        .setMessage(condition.message())
        .setLastTransitionTime(Timestamps.proto(condition.since()))
        .build();
  }

  private static Pod.Condition model(io.fairlead.v1.PodCondition proto) {
    return new Pod.Condition(
        proto.getType(),
        Metas.constant(Pod.Condition.State.values(), Pod.Condition.State::text, proto.getStatus()),
        proto.getReason(),
        proto.getMessage(),
        Timestamps.model(proto.getLastTransitionTime()));
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
    container.startupProbe().ifPresent(probe -> proto.setStartupProbe(proto(probe)));
    container.restartPolicy().ifPresent(policy -> proto.setRestartPolicy(policy.text()));
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
                .setPath(path);
        headers.forEach(h -> http.addHttpHeadersBuilder().setName(h.name()).setValue(h.value()));
        host.ifPresent(http::setHost);
      }
      case Pod.TcpSocket(var host, var port) -> {
        var tcp = proto.getTcpSocketBuilder().setPort(port.toString());
        host.ifPresent(tcp::setHost);
      }
      case Pod.Exec(var command) -> proto.getExecBuilder().addAllCommand(command);
      case Pod.Grpc(int port, var service) ->
          proto.getGrpcBuilder().setPort(port).setService(service);
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
            Duration.ofSeconds(spec.getTerminationGracePeriodSeconds()),
            spec.getInitContainersList().stream().map(PodCodec::model).toList(),
            spec.getReadinessGatesList().stream().map(PodReadinessGate::getConditionType).toList(),
            !spec.hasEnableServiceLinks() || spec.getEnableServiceLinks()),
        new Pod.Status(
            Metas.constant(Pod.Phase.values(), Pod.Phase::text, status.getPhase()),
            status.getPodIpsList().stream().map(Address::of).toList(),
            status.getReason(),
            status.getMessage(),
            status.getContainerStatusesList().stream().map(ContainerCodec::model).toList(),
            meta.hasDeletionTimestamp()
                ? Optional.of(Timestamps.model(meta.getDeletionTimestamp()))
                : Optional.empty(),
            status.getConditionsList().stream()
                .filter(c -> !DERIVED.contains(c.getType()))
                .map(PodCodec::model)
                .toList()),
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
        Metas.present(proto.getWorkingDir()),
        proto.hasStartupProbe() ? Optional.of(model(proto.getStartupProbe())) : Optional.empty(),
        proto.getRestartPolicy().isEmpty()
            ? Optional.empty()
            : Optional.of(
                Metas.constant(
                    Pod.RestartPolicy.values(),
                    Pod.RestartPolicy::text,
                    proto.getRestartPolicy())));
  }

  private static Pod.Probe model(Probe proto) {
    return new Pod.Probe(
        action(proto),
        Duration.ofSeconds(proto.getInitialDelaySeconds()),
        Duration.ofSeconds(proto.getPeriodSeconds()),
        Duration.ofSeconds(proto.getTimeoutSeconds()),
        proto.getSuccessThreshold(),
        proto.getFailureThreshold());
  }

  private static Pod.Action action(Probe proto) {
    if (proto.hasHttpGet()) {
      return model(proto.getHttpGet());
    }
    if (proto.hasExec()) {
      return new Pod.Exec(proto.getExec().getCommandList());
    }
    return proto.hasGrpc()
        ? new Pod.Grpc(proto.getGrpc().getPort(), proto.getGrpc().getService())
        : model(proto.getTcpSocket());
  }

  private static Pod.Action model(HttpGetAction proto) {
    return new Pod.HttpGet(
        Pod.Scheme.valueOf(proto.getScheme()),
        Metas.present(proto.getHost()),
        port(proto.getPort()),
        proto.getPath(),
        headers(proto));
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
