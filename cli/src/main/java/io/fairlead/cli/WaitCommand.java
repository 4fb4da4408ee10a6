package io.fairlead.cli;

import io.fairlead.api.table.Descriptions;
import io.fairlead.v1.Freshness;
import io.fairlead.v1.Node;
import io.fairlead.v1.Pod;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code fairlead wait}. The time-out is one for all objects together, as in kubectl. */
@Command(
    name = "wait",
    description =
        "Waits until pods or nodes are ready, or until objects are gone; at most for --timeout.")
final class WaitCommand implements Callable<Integer> {
  @ParentCommand private Fairlead fairlead;

  @Parameters(
      arity = "1..*",
      paramLabel = "TYPE[/NAME]",
      description = "TYPE NAME... or TYPE/NAME..., or TYPE with -l or --all")
  private List<String> arguments;

  @Option(
      names = "--for",
      required = true,
      paramLabel = "condition=Ready[=False]|create|delete",
      description = "What to wait for.")
  private String goal;

  @Option(
      names = {"-l", "--selector"},
      paramLabel = "selector",
      defaultValue = "",
      description = "The objects of TYPE whose labels match now, e.g. app=web,tier in (a,b).")
  private String selector;

  @Option(names = "--all", description = "All objects of TYPE that are in the namespace now.")
  private boolean all;

  private enum Goal {
    READY,
    NOT_READY,
    CREATED,
    GONE
  }

  private record Target<T>(Resource<T> resource, String name, Optional<String> uid) {}

  @Override
  public Integer call() {
    var wanted = goal();
    var console = fairlead.console();
    try (var session = fairlead.session()) {
      long end = session.time().nanoTime() + session.settings().timeout().toNanos();
      int code = 0;
      for (var target : targets(session, wanted)) {
        try {
          // what is left of the time; each is looked at once at least
          var left = Duration.ofNanos(end - session.time().nanoTime());
          var unmet = Waiting.unmet(session, left, in -> unmet(in, target, wanted));
          if (unmet.isEmpty()) {
            console.out().println(target.resource().title(target.name()) + " condition met");
          } else {
            console.err().println(Waiting.timedOut(target.resource(), target.name(), unmet.get()));
            code = 1;
          }
        } catch (CallFailedException e) {
          console.err().println(e.words());
          code = 1;
        }
      }
      return code;
    }
  }

  private Goal goal() {
    return switch (goal.toLowerCase(Locale.ROOT)) {
      case "condition=ready", "condition=ready=true" -> Goal.READY;
      case "condition=ready=false" -> Goal.NOT_READY;
      case "create" -> Goal.CREATED;
      case "delete" -> Goal.GONE;
      default ->
          throw new UsageException(
              "error: --for="
                  + goal
                  + " is not condition=Ready, condition=Ready=False, create or delete");
    };
  }

  private List<Target<?>> targets(Session session, Goal wanted) {
    var targets = new ArrayList<Target<?>>();
    var selections = Selection.of(arguments);
    if (wanted == Goal.READY || wanted == Goal.NOT_READY) {
      selections.forEach(selection -> requireReadiness(selection.resource()));
    }
    for (var selection : selections) {
      var resource = selection.resource();
      if (selection.names().isEmpty()) {
        if (!all && selector.isEmpty()) {
          throw new UsageException(
              "error: resource(s) were provided, but no name was specified: "
                  + resource.plural()
                  + ", neither by name, nor by -l, nor --all");
        }
        targets.addAll(listed(session, resource));
      } else {
        selection
            .names()
            .forEach(name -> targets.add(new Target<>(resource, name, Optional.empty())));
      }
    }
    if (targets.isEmpty()) {
      throw new CliException("error: no matching resources found");
    }
    return targets;
  }

  /** Refuses before anything is asked of a server. */
  private static void requireReadiness(Resource<?> resource) {
    if (!(resource instanceof PodResource || resource instanceof NodeResource)) {
      throw new UsageException(
          "error: condition=Ready is of pods and nodes; others are there or not");
    }
  }

  private <T> List<Target<T>> listed(Session session, Resource<T> resource) {
    return resource.list(session, fairlead.namespace(), selector, Freshness.LATEST).stream()
        .map(resource::meta)
        .map(meta -> new Target<>(resource, meta.getName(), Optional.of(meta.getUid())))
        .toList();
  }

  /**
   * How it is where it is not as wanted; empty where it is. One that is not there is waited for
   * only where that was asked for.
   */
  private <T> Optional<String> unmet(Session session, Target<T> target, Goal wanted) {
    var resource = target.resource();
    T object;
    try {
      object = resource.get(session, fairlead.namespace(), target.name(), Freshness.LATEST);
    } catch (CallFailedException e) {
      if (e.isNotFound() && wanted == Goal.GONE) {
        return Optional.empty();
      }
      if (e.isNotFound() && wanted == Goal.CREATED) {
        return Optional.of("it is not there");
      }
      throw e;
    }
    return switch (wanted) {
      case READY -> isReady(object) ? Optional.empty() : Optional.of(how(object));
      case NOT_READY -> isReady(object) ? Optional.of(how(object)) : Optional.empty();
      case CREATED -> Optional.empty();
      case GONE ->
          target.uid().filter(uid -> !uid.equals(resource.meta(object).getUid())).isPresent()
              ? Optional.empty()
              : Optional.of(
                  resource.meta(object).hasDeletionTimestamp()
                      ? "it is terminating"
                      : "it is there, and not being deleted");
    };
  }

  private static boolean isReady(Object object) {
    return switch (object) {
      case Pod pod -> pod.getStatus().getReady() && !pod.getMetadata().hasDeletionTimestamp();
      case Node node -> node.getState().equals("Ready");
      default -> throw new IllegalStateException("refused before");
    };
  }

  /** Of what can be ready, with the reason. */
  private static String how(Object object) {
    return switch (object) {
      case Pod pod when pod.getMetadata().hasDeletionTimestamp() -> "it is terminating";
      case Pod pod -> Descriptions.readiness(pod);
      case Node node ->
          "it is "
              + node.getState()
              + (node.getReason().isEmpty() ? "" : " (" + node.getReason() + ")");
      default -> "";
    };
  }
}
