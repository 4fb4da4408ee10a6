package io.fairlead.cli;

import io.fairlead.v1.Freshness;
import io.fairlead.v1.Result;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code fairlead delete}. */
@Command(
    name = "delete",
    description =
        "Deletes services, pods, endpointslices, namespaces, servicecidrs and nodes that are lost: by name, by labels, all of them, or as manifests name them.")
final class DeleteCommand implements Callable<Integer> {
  @ParentCommand private Fairlead fairlead;

  @Parameters(
      arity = "0..*",
      paramLabel = "TYPE[/NAME]",
      description = "TYPE NAME... or TYPE/NAME...")
  private List<String> arguments = List.of();

  @Option(
      names = {"-f", "--filename"},
      paramLabel = "file",
      description = "File or directory; - for standard input. May be given several times.")
  private List<String> files = List.of();

  @Option(
      names = {"-l", "--selector"},
      paramLabel = "selector",
      defaultValue = "",
      description = "All objects of TYPE whose labels match, e.g. app=web,tier in (a,b).")
  private String selector;

  @Option(names = "--all", description = "All objects of TYPE in the namespace.")
  private boolean all;

  @Option(names = "--ignore-not-found", description = "What is gone already is no error.")
  private boolean ignoreNotFound;

  @Option(
      names = "--grace-period",
      paramLabel = "seconds",
      description =
          "Pods only: how long its processes have to end before they are killed. Without it, what the Pod says, or none where nothing runs it.")
  private @Nullable Integer graceSeconds;

  @Option(names = "--now", description = "The same as --grace-period=1.")
  private boolean now;

  @Option(names = "--force", description = "With --grace-period=0, as in kubectl; says nothing.")
  @SuppressWarnings("UnusedVariable") // a grace of 0 is meant without it
  private boolean force;

  @Option(
      names = "--cascade",
      description =
          "Namespaces only: deletes the pods, endpointslices and services in it first. What comes meanwhile keeps it alive.")
  private boolean cascade;

  @Option(
      names = "--dry-run",
      paramLabel = "none|server",
      defaultValue = "none",
      description = "server: says what would be deleted. Not for pods.")
  private Senders.DryRun dryRun;

  @Option(
      names = "--wait",
      paramLabel = "true|false",
      arity = "0..1",
      defaultValue = "true",
      fallbackValue = "true",
      description =
          "Waits until Pods are gone, and until namespaces that hold some are empty (the default).")
  private boolean wait;

  private record Target(Resource<?> resource, String namespace, String name) {}

  /** What is not gone yet. */
  private record Ending(Target target, Resource.Deleted.Terminating how) {}

  @Override
  public Integer call() {
    if (graceSeconds != null && graceSeconds < 0) {
      throw new UsageException("error: --grace-period must not be negative");
    }
    if (now && graceSeconds != null) {
      throw new UsageException("error: --now and --grace-period cannot be specified together");
    }
    var grace = now ? Optional.of(1) : Optional.ofNullable(graceSeconds);
    var how =
        new Resource.Deletion(
            grace.map(Duration::ofSeconds),
            cascade ? Resource.Cascade.YES : Resource.Cascade.NO,
            dryRun);
    var console = fairlead.console();
    var endings = new ArrayList<Ending>();
    var emptied = new LinkedHashMap<Target, Resource.Deleted.Emptying>();
    int code = 0;
    try (var session = fairlead.session()) {
      var targets = targets(session, how);
      for (var target : targets) {
        try {
          var deleted = target.resource().delete(session, target.namespace(), target.name(), how);
          var title = target.resource().title(target.name());
          switch (deleted) {
            case Resource.Deleted.Gone _ -> said(title);
            case Resource.Deleted.Terminating terminating -> {
              said(title);
              endings.add(new Ending(target, terminating));
            }
            case Resource.Deleted.Held(var words) ->
                console.out().println(Senders.said(title, words, dryRun));
            case Resource.Deleted.Emptying emptying -> {
              if (wait) {
                emptied.put(target, emptying);
              } else {
                console
                    .out()
                    .println(
                        title + " terminating: there until it holds nothing: " + emptying.words());
              }
            }
          }
        } catch (CallFailedException e) {
          if (!(ignoreNotFound && e.isNotFound())) {
            console.err().println(e.words());
            code = Math.max(code, 1);
          }
        } catch (CliException e) { // one that cannot be deleted does not keep the others back
          console.err().println(e.words());
          code = Math.max(code, 1); // of others something may be gone
        }
      }
      if (targets.isEmpty() && !ignoreNotFound) {
        console.err().println("No resources found");
      }
      boolean all = !wait || gone(session, endings);
      for (var each : emptied.entrySet()) {
        all &= empties(session, each.getKey(), each.getValue());
      }
      return all ? code : Math.max(code, 1);
    }
  }

  private void said(String title) {
    fairlead.console().out().println(Senders.said(title, Result.DELETED, dryRun));
  }

  /** Waits until nothing of it is left, and only then says that it is deleted. */
  private boolean empties(Session session, Target target, Resource.Deleted.Emptying how) {
    var title = target.resource().title(target.name());
    var patience = how.grace().plus(session.settings().timeout());
    return looked(
        session,
        patience,
        in ->
            NamespaceResource.held(in, target.name())
                .map("it holds %s, which did not end or came again"::formatted),
        () -> said(title),
        last -> "error: timed out waiting for %s to be empty: %s".formatted(title, last));
  }

  /** Waits for each as long as it may take, and the time-out more. */
  private boolean gone(Session session, List<Ending> endings) {
    boolean all = true;
    for (var ending : endings) {
      var target = ending.target();
      var patience = ending.how().grace().plus(session.settings().timeout());
      all &=
          looked(
              session,
              patience,
              in ->
                  isGone(in, target, ending.how().uid())
                      ? Optional.empty()
                      : Optional.of("it has not ended"),
              () -> {},
              last -> Waiting.timedOut(target.resource(), target.name(), last));
    }
    return all;
  }

  /**
   * Waits for one and says what came of it, also where a server did not answer: the others are
   * still waited for.
   *
   * @param late from what was seen last to the words about it
   */
  private boolean looked(
      Session session,
      Duration patience,
      Function<Session, Optional<String>> look,
      Runnable met,
      UnaryOperator<String> late) {
    try {
      var left = Waiting.unmet(session, patience, look);
      if (left.isEmpty()) {
        met.run();
        return true;
      }
      fairlead.console().err().println(late.apply(left.get()));
    } catch (CallFailedException e) {
      fairlead.console().err().println(e.words());
    }
    return false;
  }

  private static boolean isGone(Session session, Target target, String uid) {
    return isGone(session, target.resource(), target, uid);
  }

  private static <T> boolean isGone(
      Session session, Resource<T> resource, Target target, String uid) {
    try {
      var object = resource.get(session, target.namespace(), target.name(), Freshness.LATEST);
      return !resource.meta(object).getUid().equals(uid);
    } catch (CallFailedException e) {
      if (e.isNotFound()) {
        return true;
      }
      throw e;
    }
  }

  /** Refuses before anything is asked of a server. */
  private static void requireDeletable(Resource<?> resource, Resource.Deletion how) {
    resource
        .notDeleted(how)
        .ifPresent(words -> {
          throw new UsageException("error: " + words);
        });
  }

  private List<Target> targets(Session session, Resource.Deletion how) {
    if (files.isEmpty() == arguments.isEmpty()) {
      throw new UsageException("error: name what to delete, either TYPE and NAME or by -f");
    }
    if (!files.isEmpty()) {
      return inFiles(how);
    }
    var targets = new ArrayList<Target>();
    var selections = Selection.of(arguments);
    selections.forEach(selection -> requireDeletable(selection.resource(), how));
    for (var selection : selections) {
      var resource = selection.resource();
      if (!selection.names().isEmpty()) {
        if (all || !selector.isEmpty()) {
          throw new UsageException("error: name cannot be provided when a selector is specified");
        }
        selection
            .names()
            .forEach(name -> targets.add(new Target(resource, fairlead.namespace(), name)));
      } else if (all || !selector.isEmpty()) {
        targets.addAll(listed(session, resource));
      } else {
        throw new UsageException(
            "error: resource(s) were provided, but no name was specified: "
                + resource.plural()
                + ", neither by name, nor by -l, nor --all");
      }
    }
    return targets;
  }

  private <T> List<Target> listed(Session session, Resource<T> resource) {
    return resource.list(session, fairlead.namespace(), selector, Freshness.LATEST).stream()
        .map(object -> new Target(resource, fairlead.namespace(), resource.meta(object).getName()))
        .toList();
  }

  /** The last first, so that a namespace goes after what it holds. */
  private List<Target> inFiles(Resource.Deletion how) {
    var targets = new ArrayList<Target>();
    for (var item :
        ManifestFiles.read(
            files, fairlead.console(), fairlead.givenNamespace(), fairlead.namespace())) {
      var meta = ManifestFiles.meta(item);
      var resource = ManifestFiles.resource(item);
      requireDeletable(resource, how);
      targets.add(new Target(resource, meta.getNamespace(), meta.getName()));
    }
    return targets.reversed();
  }
}
