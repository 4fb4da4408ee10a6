package io.fairlead.eventlog.codec;

import static io.fairlead.eventlog.codec.Fields.all;
import static io.fairlead.eventlog.codec.Fields.optional;
import static io.fairlead.eventlog.codec.Fields.unknown;

import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PodReadiness;
import io.fairlead.log.v1.Container;
import io.fairlead.log.v1.ContainerPort;
import io.fairlead.log.v1.HttpGet;
import io.fairlead.log.v1.PodCondition;
import io.fairlead.log.v1.Probe;
import io.fairlead.log.v1.TcpSocket;
import java.time.Instant;
import java.util.Optional;
import java.util.TreeMap;

/** Pods and their readiness as messages. */
final class PodFields {
  private PodFields() {}

  static io.fairlead.log.v1.Pod write(Pod pod) {
    var spec = pod.spec();
    var status = pod.status();
    var message =
        io.fairlead.log.v1.Pod.newBuilder()
            .setMeta(Fields.write(pod.meta()))
            .setHostNetwork(spec.hostNetwork())
            .setPhase(write(status.phase()))
            .setReason(status.reason())
            .setMessage(status.message())
            .setSource(pod.source())
            .setRestartPolicy(write(spec.restartPolicy()))
            .setTerminationGracePeriod(Fields.write(spec.terminationGrace()));
    spec.nodeName().ifPresent(message::setNodeName);
    spec.hostname().ifPresent(message::setHostname);
    spec.subdomain().ifPresent(message::setSubdomain);
    spec.containers().forEach(c -> message.addContainers(write(c)));
    status.ips().forEach(ip -> message.addIps(Fields.write(ip)));
    status.containers().forEach(c -> message.addContainerStatuses(ContainerStatusFields.write(c)));
    status.deleting().ifPresent(at -> message.setDeleting(Fields.write(at)));
    spec.initContainers().forEach(c -> message.addInitContainers(write(c)));
    message
        .addAllReadinessGates(spec.readinessGates())
        .setNoServiceLinks(!spec.enableServiceLinks());
    status.conditions().forEach(c -> message.addConditions(write(c)));
    return message.build();
  }

  static Pod read(io.fairlead.log.v1.Pod message, Texts texts) {
    var spec =
        new Pod.Spec(
            texts.optional(message.getNodeName()),
            message.getHostNetwork(),
            optional(message.getHostname()),
            optional(message.getSubdomain()),
            all(message.getContainersList(), container -> container(container, texts)),
            restartPolicy(message.getRestartPolicy()),
            message.hasTerminationGracePeriod()
                ? Fields.duration("termination_grace_period", message.getTerminationGracePeriod())
                : Pod.Spec.DEFAULT_GRACE,
            all(message.getInitContainersList(), container -> container(container, texts)),
            message.getReadinessGatesList(),
            !message.getNoServiceLinks());
    var status =
        new Pod.Status(
            phase(message.getPhase()),
            all(message.getIpsList(), ip -> Fields.address("ips", ip)),
            message.getReason(),
            message.getMessage(),
            all(message.getContainerStatusesList(), ContainerStatusFields::read),
            message.hasDeleting()
                ? Optional.of(Fields.instant("deleting", message.getDeleting()))
                : Optional.empty(),
            all(message.getConditionsList(), PodFields::condition));
    return new Pod(
        Fields.meta(message.getMeta(), texts), spec, status, texts.one(message.getSource()));
  }

  static io.fairlead.log.v1.PodReadiness write(PodReadiness readiness) {
    var message =
        io.fairlead.log.v1.PodReadiness.newBuilder()
            .setNamespace(readiness.pod().namespace())
            .setName(readiness.pod().name())
            .setPodUid(readiness.podUid().toString())
            .setReady(readiness.ready())
            .setNode(readiness.node())
            .setSession(readiness.session())
            .setSequence(readiness.sequence())
            .setReason(readiness.reason())
            .setSince(Fields.write(readiness.since()))
            .setTurns(readiness.turns());
    readiness.runs().forEach((name, began) -> message.putRuns(name, Fields.write(began)));
    for (var turn : readiness.latest()) {
      message.addLatest(
          io.fairlead.log.v1.PodReadiness.Turn.newBuilder()
              .setReady(turn.ready())
              .setReason(turn.reason())
              .setAt(Fields.write(turn.at())));
    }
    return message.build();
  }

  static PodReadiness read(io.fairlead.log.v1.PodReadiness message, Texts texts) {
    if (!message.hasSince()) {
      throw Fields.bad("since", "missing");
    }
    var runs = new TreeMap<String, Instant>();
    message.getRunsMap().forEach((name, began) -> runs.put(name, Fields.instant("runs", began)));
    return new PodReadiness(
        new ObjectName(
            texts.one(Fields.required("namespace", message.getNamespace())),
            Fields.required("name", message.getName())),
        Fields.uuid("pod_uid", message.getPodUid()),
        message.getReady(),
        texts.one(message.getNode()),
        message.getSession(),
        message.getSequence(),
        texts.one(message.getReason()),
        Fields.instant("since", message.getSince()),
        runs,
        message.getTurns(),
        all(
            message.getLatestList(),
            turn ->
                new PodReadiness.Turn(
                    turn.getReady(), turn.getReason(), Fields.instant("latest.at", turn.getAt()))));
  }

  private static PodCondition write(Pod.Condition condition) {
    return PodCondition.newBuilder()
        .setType(condition.type())
        .setState(
            switch (condition.state()) {
              case TRUE -> PodCondition.State.TRUE;
              case FALSE -> PodCondition.State.FALSE;
              case UNKNOWN -> PodCondition.State.UNKNOWN;
            })
        .setReason(condition.reason())
        .setMessage(condition.message())
        .setSince(Fields.write(condition.since()))
        .build();
  }

  private static Pod.Condition condition(PodCondition message) {
    return new Pod.Condition(
        message.getType(),
        switch (message.getState()) {
          case TRUE -> Pod.Condition.State.TRUE;
          case FALSE -> Pod.Condition.State.FALSE;
          case UNKNOWN -> Pod.Condition.State.UNKNOWN;
          case STATE_UNSPECIFIED, UNRECOGNIZED -> throw unknown("conditions.state");
        },
        message.getReason(),
        message.getMessage(),
        Fields.instant("conditions.since", message.getSince()));
  }

  private static Container write(Pod.Container container) {
    var message =
        Container.newBuilder()
            .setName(container.name())
            .setImage(container.image())
            .addAllCommand(container.command())
            .addAllArgs(container.args())
            .putAllEnv(container.env());
    container.ports().forEach(p -> message.addPorts(write(p)));
    container.readinessProbe().ifPresent(p -> message.setReadinessProbe(write(p)));
    container.workingDir().ifPresent(message::setWorkingDir);
    container.startupProbe().ifPresent(p -> message.setStartupProbe(write(p)));
    message.setRestartAlways(container.isSidecar());
    return message.build();
  }

  private static Pod.Container container(Container message, Texts texts) {
    return new Pod.Container(
        texts.one(message.getName()),
        texts.one(message.getImage()),
        message.getCommandList(),
        message.getArgsList(),
        texts.all(message.getEnvMap()),
        all(message.getPortsList(), PodFields::port),
        message.hasReadinessProbe()
            ? Optional.of(probe(message.getReadinessProbe()))
            : Optional.empty(),
        optional(message.getWorkingDir()),
        message.hasStartupProbe()
            ? Optional.of(probe(message.getStartupProbe()))
            : Optional.empty(),
        message.getRestartAlways() ? Optional.of(Pod.RestartPolicy.ALWAYS) : Optional.empty());
  }

  private static ContainerPort write(Pod.ContainerPort port) {
    return ContainerPort.newBuilder()
        .setName(port.name())
        .setProtocol(Fields.write(port.protocol()))
        .setContainerPort(port.containerPort())
        .build();
  }

  private static Pod.ContainerPort port(ContainerPort message) {
    return new Pod.ContainerPort(
        message.getName(),
        Fields.protocol("containers.ports.protocol", message.getProtocol()),
        message.getContainerPort());
  }

  private static Probe write(Pod.Probe probe) {
    var message =
        Probe.newBuilder()
            .setInitialDelay(Fields.write(probe.initialDelay()))
            .setPeriod(Fields.write(probe.period()))
            .setTimeout(Fields.write(probe.timeout()))
            .setSuccessThreshold(probe.successThreshold())
            .setFailureThreshold(probe.failureThreshold());
    switch (probe.action()) {
      case Pod.HttpGet get -> message.setHttpGet(write(get));
      case Pod.TcpSocket tcp -> message.setTcpSocket(write(tcp));
      case Pod.Exec(var command) -> message.getExecBuilder().addAllCommand(command);
      case Pod.Grpc(int port, var service) ->
          message.getGrpcBuilder().setPort(port).setService(service);
    }
    return message.build();
  }

  private static Pod.Probe probe(Probe message) {
    return new Pod.Probe(
        action(message),
        Fields.duration("readiness_probe.initial_delay", message.getInitialDelay()),
        Fields.duration("readiness_probe.period", message.getPeriod()),
        Fields.duration("readiness_probe.timeout", message.getTimeout()),
        message.getSuccessThreshold(),
        message.getFailureThreshold());
  }

  private static Pod.Action action(Probe message) {
    return switch (message.getActionCase()) {
      case HTTP_GET -> get(message.getHttpGet());
      case TCP_SOCKET ->
          new Pod.TcpSocket(
              optional(message.getTcpSocket().getHost()),
              Fields.portRef("tcp_socket.port", message.getTcpSocket().getPort()));
      case EXEC -> new Pod.Exec(message.getExec().getCommandList());
      case GRPC -> new Pod.Grpc(message.getGrpc().getPort(), message.getGrpc().getService());
      case ACTION_NOT_SET -> throw unknown("readiness_probe.action");
    };
  }

  private static HttpGet write(Pod.HttpGet get) {
    var message =
        HttpGet.newBuilder()
            .setHttps(get.scheme() == Pod.Scheme.HTTPS)
            .setPort(Fields.write(get.port()))
            .setPath(get.path());
    get.headers().forEach(h -> message.addHeadersBuilder().setName(h.name()).setValue(h.value()));
    get.host().ifPresent(message::setHost);
    return message.build();
  }

  private static Pod.HttpGet get(HttpGet message) {
    return new Pod.HttpGet(
        message.getHttps() ? Pod.Scheme.HTTPS : Pod.Scheme.HTTP,
        optional(message.getHost()),
        Fields.portRef("http_get.port", message.getPort()),
        message.getPath(),
        all(message.getHeadersList(), h -> new Pod.HttpHeader(h.getName(), h.getValue())));
  }

  private static TcpSocket write(Pod.TcpSocket tcp) {
    var message = TcpSocket.newBuilder().setPort(Fields.write(tcp.port()));
    tcp.host().ifPresent(message::setHost);
    return message.build();
  }

  private static io.fairlead.log.v1.Pod.RestartPolicy write(Pod.RestartPolicy policy) {
    return switch (policy) {
      case ALWAYS -> io.fairlead.log.v1.Pod.RestartPolicy.ALWAYS;
      case ON_FAILURE -> io.fairlead.log.v1.Pod.RestartPolicy.ON_FAILURE;
      case NEVER -> io.fairlead.log.v1.Pod.RestartPolicy.NEVER;
    };
  }

  private static Pod.RestartPolicy restartPolicy(io.fairlead.log.v1.Pod.RestartPolicy policy) {
    return switch (policy) {
      case ALWAYS, RESTART_POLICY_UNSPECIFIED -> Pod.RestartPolicy.ALWAYS;
      case ON_FAILURE -> Pod.RestartPolicy.ON_FAILURE;
      case NEVER -> Pod.RestartPolicy.NEVER;
      case UNRECOGNIZED -> throw unknown("restart_policy");
    };
  }

  private static io.fairlead.log.v1.Pod.Phase write(Pod.Phase phase) {
    return switch (phase) {
      case PENDING -> io.fairlead.log.v1.Pod.Phase.PENDING;
      case RUNNING -> io.fairlead.log.v1.Pod.Phase.RUNNING;
      case SUCCEEDED -> io.fairlead.log.v1.Pod.Phase.SUCCEEDED;
      case FAILED -> io.fairlead.log.v1.Pod.Phase.FAILED;
    };
  }

  private static Pod.Phase phase(io.fairlead.log.v1.Pod.Phase phase) {
    return switch (phase) {
      case PENDING -> Pod.Phase.PENDING;
      case RUNNING -> Pod.Phase.RUNNING;
      case SUCCEEDED -> Pod.Phase.SUCCEEDED;
      case FAILED -> Pod.Phase.FAILED;
      case PHASE_UNSPECIFIED, UNRECOGNIZED -> throw unknown("phase");
    };
  }
}
