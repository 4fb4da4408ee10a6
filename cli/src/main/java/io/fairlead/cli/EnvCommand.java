package io.fairlead.cli;

import io.fairlead.v1.GetServiceEnvironmentRequest;
import java.util.LinkedHashMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code fairlead env}. */
@Command(
    name = "env",
    description =
        "Prints the environment variables of Services that a Pod of the namespace would get if it started now.")
final class EnvCommand implements Callable<Integer> {
  @ParentCommand private Fairlead fairlead;

  @Option(
      names = "--no-service-links",
      description = "As for a Pod with enableServiceLinks: false: only the control plane's.")
  private boolean noServiceLinks;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "plain|shell|dotenv|json",
      defaultValue = "plain",
      description =
          "plain: NAME=value, nothing is quoted (the default). shell: for eval \"$(fairlead env -o shell)\". dotenv: for docker run --env-file, Compose and systemd. json: one object.")
  private EnvFormat format;

  @Override
  public Integer call() {
    var variables = new LinkedHashMap<String, String>();
    try (var session = fairlead.session()) {
      var request =
          GetServiceEnvironmentRequest.newBuilder()
              .setNamespace(fairlead.namespace())
              .setEnableServiceLinks(!noServiceLinks)
              .build();
      session
          .environments(stub -> stub.get(request))
          .getVariablesList()
          .forEach(variable -> variables.put(variable.getName(), variable.getValue()));
    }
    fairlead.console().out().print(format.text(variables));
    return 0;
  }
}
