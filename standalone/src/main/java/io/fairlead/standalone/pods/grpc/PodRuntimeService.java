package io.fairlead.standalone.pods.grpc;

import io.fairlead.api.Errors;
import io.fairlead.core.decide.Refusal;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Pod;
import io.fairlead.standalone.pods.run.ContainerReport;
import io.fairlead.standalone.pods.run.ContainerState;
import io.fairlead.standalone.pods.run.PodSupervisor;
import io.fairlead.standalone.pods.run.PodWorker;
import io.fairlead.standalone.pods.run.RunLog;
import io.fairlead.v1.ExecReply;
import io.fairlead.v1.ExecRequest;
import io.fairlead.v1.LogsReply;
import io.fairlead.v1.LogsRequest;
import io.fairlead.v1.PodRuntimeGrpc;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.util.OptionalLong;

/** {@code PodRuntime} over gRPC. Calls are quick; each stream has threads of its own. */
public final class PodRuntimeService extends PodRuntimeGrpc.PodRuntimeImplBase {
  private final PodSupervisor pods;

  public PodRuntimeService(PodSupervisor pods) {
    this.pods = pods;
  }

  @Override
  public void logs(LogsRequest request, StreamObserver<LogsReply> replies) {
    if (request.hasTailLines() && request.getTailLines() < 0) {
      throw Errors.badContainer(
          name(request.getNamespace(), request.getPod()), "tailLines: must not be negative");
    }
    var worker = worker(request.getNamespace(), request.getPod());
    var container = container(worker.pod(), request.getContainer());
    RunLog log;
    try {
      var found = worker.log(container, request.getPrevious() ? 1 : 0);
      if (found.isEmpty()) {
        throw request.getPrevious()
            ? Errors.badContainer(
                worker.pod().name(),
                "previous terminated container \"%s\" in pod \"%s\" not found"
                    .formatted(container, request.getPod()))
            : notStarted(worker, container);
      }
      log = found.get();
    } catch (IOException e) {
      throw Errors.dependencyUnavailable("cannot read the log: " + e.getMessage());
    }
    var tail =
        request.hasTailLines() ? OptionalLong.of(request.getTailLines()) : OptionalLong.empty();
    var atEnd = request.getFollow() ? RunLog.Reader.AtEnd.WAIT : RunLog.Reader.AtEnd.STOP;
    var copier = new LogCopier(log, tail, atEnd);
    copier.start(Outbox.of((ServerCallStreamObserver<LogsReply>) replies, copier::leave));
  }

  @Override
  public StreamObserver<ExecRequest> exec(StreamObserver<ExecReply> replies) {
    return new ExecSession(
        (ServerCallStreamObserver<ExecReply>) replies,
        start -> {
          if (start.getCommandList().isEmpty()) {
            throw Errors.badContainer(
                name(start.getNamespace(), start.getPod()), "command: you must specify one");
          }
          var worker = worker(start.getNamespace(), start.getPod());
          var container = container(worker.pod(), start.getContainer());
          return worker
              .exec(container, start.getCommandList())
              .orElseThrow(() -> notStarted(worker, container));
        });
  }

  private static ObjectName name(String namespace, String pod) {
    return new ObjectName(namespace.isEmpty() ? ObjectName.DEFAULT_NAMESPACE : namespace, pod);
  }

  private PodWorker worker(String namespace, String pod) {
    var name = name(namespace, pod);
    return pods.find(name)
        .orElseThrow(() ->
            pods.knows(name)
                ? Errors.badContainer(
                    name,
                    "pod \"%s\" is not run by this machine: it has its address from its manifest or from another source"
                        .formatted(pod))
                : Errors.refused(new Refusal.NotFound(ObjectKey.of(Kind.POD, name))));
  }

  private static String container(Pod pod, String asked) {
    if (asked.isEmpty()) {
      return pod.spec().containers().getFirst().name();
    }
    if (pod.spec().containers().stream().noneMatch(c -> c.name().equals(asked))) {
      throw Errors.badContainer(
          pod.name(), "container %s is not valid for pod %s".formatted(asked, pod.meta().name()));
    }
    return asked;
  }

  private static StatusRuntimeException notStarted(PodWorker worker, String container) {
    var pod = worker.pod().meta().name();
    var state =
        worker.containers().stream()
            .filter(report -> report.name().equals(container))
            .findFirst()
            .map(ContainerReport::state);
    var words =
        switch (state.orElse(new ContainerState.Waiting("PodInitializing", ""))) {
          case ContainerState.Waiting(var reason, _) ->
              "container \"%s\" in pod \"%s\" is waiting to start: %s"
                  .formatted(container, pod, reason);
          case ContainerState.Running _ ->
              "container \"%s\" in pod \"%s\" is just starting".formatted(container, pod);
          case ContainerState.Terminated(var code, _, _, _, _) ->
              "container \"%s\" in pod \"%s\" has ended with exit code %d"
                  .formatted(container, pod, code);
        };
    return Errors.badContainer(worker.pod().name(), words);
  }
}
