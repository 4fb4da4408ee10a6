package io.fairlead.cli;

import io.fairlead.api.ServiceCodec;
import io.fairlead.core.decide.ServicesDecider;
import io.fairlead.core.env.ServiceEnvironment;
import io.fairlead.core.env.ServiceEnvironment.Links;
import io.fairlead.core.model.Service;
import io.fairlead.v1.Freshness;
import java.util.ArrayList;
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

  @Override
  public Integer call() {
    var namespace = fairlead.namespace();
    var services = new ArrayList<Service>();
    var resource = new ServiceResource();
    try (var session = fairlead.session()) {
      resource.list(session, namespace, "", Freshness.LATEST).stream()
          .map(ServiceCodec::model)
          .forEach(services::add);
      var controlPlane = ServicesDecider.CONTROL_PLANE;
      if (!controlPlane.namespace().equals(namespace)) {
        try {
          services.add(
              ServiceCodec.model(
                  resource.get(
                      session, controlPlane.namespace(), controlPlane.name(), Freshness.LATEST)));
        } catch (CallFailedException e) {
          if (!e.isNotFound()) {
            throw e;
          }
        }
      }
    }
    ServiceEnvironment.of(namespace, noServiceLinks ? Links.DISABLED : Links.ENABLED, services)
        .forEach((name, value) -> fairlead.console().out().println(name + "=" + value));
    return 0;
  }
}
