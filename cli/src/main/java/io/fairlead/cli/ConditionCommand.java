package io.fairlead.cli;

import io.fairlead.v1.GetPodRequest;
import io.fairlead.v1.PodCondition;
import io.fairlead.v1.UpdatePodStatusRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code fairlead condition}. */
@Command(
    name = "condition",
    description =
        "Sets conditions of a pod. Those that its readiness gates name must be True before it is ready.")
final class ConditionCommand implements Callable<Integer> {
  @ParentCommand private Fairlead fairlead;

  @Option(
      names = "--reason",
      paramLabel = "word",
      defaultValue = "",
      description = "Why, in one word.")
  private String reason;

  @Option(
      names = "--message",
      paramLabel = "text",
      defaultValue = "",
      description = "Why, for people.")
  private String message;

  @Parameters(index = "0", paramLabel = "POD", description = "Name of the pod, or pod/NAME.")
  private String pod;

  @Parameters(
      index = "1..*",
      arity = "1..*",
      paramLabel = "TYPE=STATUS",
      description = "Type of a condition, and True, False or Unknown.")
  private List<String> conditions;

  @Override
  public Integer call() {
    var said = new ArrayList<PodCondition>();
    for (var condition : conditions) {
      int equals = condition.indexOf('=');
      if (equals < 1 || equals == condition.length() - 1) {
        throw new UsageException(
            "error: \"%s\": a condition is given as TYPE=True, TYPE=False or TYPE=Unknown"
                .formatted(condition));
      }
      said.add(
          PodCondition.newBuilder()
              .setType(condition.substring(0, equals))
              .setStatus(condition.substring(equals + 1))
              .setReason(reason)
              .setMessage(message)
              .build());
    }
    var name = pod.startsWith("pod/") ? pod.substring("pod/".length()) : pod;
    var namespace = fairlead.namespace();
    try (var session = fairlead.session()) {
      var known =
          session.pods(stub ->
              stub.get(GetPodRequest.newBuilder().setNamespace(namespace).setName(name).build()));
      var request =
          UpdatePodStatusRequest.newBuilder()
              .setRequestId(session.requestId())
              .setNamespace(namespace)
              .setName(name)
              .setUid(known.getPod().getMetadata().getUid())
              .addAllConditions(said)
              .build();
      var reply = session.pods(stub -> stub.updateStatus(request));
      fairlead
          .console()
          .out()
          .println(
              "pod/"
                  + name
                  + " "
                  + (reply.getPod().getStatus().getReady()
                      ? "is ready"
                      : "is not ready: " + reply.getPod().getStatus().getReadyReason()));
    }
    return 0;
  }
}
