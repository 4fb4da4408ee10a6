package io.fairlead.cli;

import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.LabelSelector;
import io.fairlead.core.replay.Moment;
import io.fairlead.core.replay.Replayed;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code fairlead replay}: {@code get}, at a moment that was. */
@Command(
    name = "replay",
    description =
        "Shows what there was at a moment, as get does: the log, or a file that log export wrote, is read up to then.")
final class ReplayCommand implements Callable<Integer> {
  private static final String GET = "get";

  @ParentCommand private Fairlead fairlead;

  @Parameters(
      arity = "0..*",
      paramLabel = "[FILE] [get] TYPE[/NAME]",
      description =
          "A file, or nothing for the log of the plane; TYPE [NAME...], TYPE,TYPE or TYPE/NAME..., without it services, pods and endpointslices.")
  private List<String> arguments = List.of();

  @Option(
      names = "--at",
      required = true,
      paramLabel = "time|duration|position",
      description =
          "2026-11-01T12:00:00Z; 5m before now; or everything before a position that log tail shows, e.g. s:13 or s:13,p0:4 (of partitions that it does not name, what was there by then).")
  private String at;

  @Mixin private ShowOptions show;

  /** What the arguments say. */
  private record Asked(Optional<Path> file, List<Selection> selections) {}

  @Override
  public Integer call() {
    var asked = asked();
    var selections = asked.selections();
    var wanted = Selection.selector(show.selector());
    var console = fairlead.console();
    var moment = Rewind.moment(at, fairlead.time().now());
    var state =
        Rewind.state(asked.file().map(f -> Rewind.file(moment, f)).orElseGet(() -> live(moment)));
    state
        .time()
        .ifPresent(time ->
            console
                .err()
                .println(
                    "As of %s%s, position %s; the log is complete since %s"
                        .formatted(
                            time,
                            end(moment, state),
                            state.position().offsets(),
                            state.completeSince())));
    // ages as they were, or half a row would be of today
    var now =
        moment instanceof Moment.At(var time) ? time : state.time().orElse(fairlead.time().now());
    var printer = new ObjectPrinter(show.style(fairlead, selections), () -> now, console);
    int code = 0;
    int shown = 0;
    for (var selection : selections) {
      for (var name : selection.names()) {
        if (!exists(selection.resource(), state.image(), name)) {
          console
              .err()
              .println(
                  "Error from replay (NotFound): %s \"%s\" not found"
                      .formatted(selection.resource().plural(), name));
          code = 1;
        }
      }
      shown += add(selection.resource(), selection.names(), state.image(), wanted, printer);
    }
    if (shown == 0 && code == 0) {
      printer.sayNone(selections.getFirst().resource());
    }
    printer.finish(ShowOptions.asked(selections));
    return code;
  }

  /**
   * Nobody may take what is the newest there is for what will be, or for what another clock says.
   */
  private static String end(Moment moment, Replayed.State state) {
    return moment instanceof Moment.At(var asked)
            && state.next().isEmpty()
            && state.time().filter(asked::isAfter).isPresent()
        ? " (the log ends there, before %s)".formatted(asked)
        : "";
  }

  private Replayed live(Moment moment) {
    try (var session = fairlead.session()) {
      return Rewind.live(moment, session);
    }
  }

  /** The first argument is a file where it is no type; so {@code ./svc} is one. */
  private Asked asked() {
    var left = new ArrayList<>(arguments);
    Optional<Path> file = Optional.empty();
    if (!left.isEmpty() && !left.getFirst().equals(GET) && !Resource.isTyped(left.getFirst())) {
      file = Optional.of(Path.of(left.removeFirst()));
    }
    if (!left.isEmpty() && left.getFirst().equals(GET)) {
      left.removeFirst();
    }
    return new Asked(file, Selection.of(left.isEmpty() ? List.of("svc,po,eps") : left));
  }

  private <T> boolean exists(Resource<T> resource, ClusterImage image, String name) {
    return resource.of(image).stream().anyMatch(object -> isAt(resource, object, name));
  }

  private <T> boolean isAt(Resource<T> resource, T object, String name) {
    return resource.meta(object).getName().equals(name) && isInNamespace(resource, object);
  }

  private <T> boolean isInNamespace(Resource<T> resource, T object) {
    return show.allNamespaces()
        || !resource.isNamespaced()
        || resource.meta(object).getNamespace().equals(fairlead.namespace());
  }

  private <T> int add(
      Resource<T> resource,
      List<String> names,
      ClusterImage image,
      LabelSelector wanted,
      ObjectPrinter printer) {
    var objects = new ArrayList<T>();
    for (var object : resource.of(image)) {
      if (isInNamespace(resource, object)
          && (names.isEmpty() || names.contains(resource.meta(object).getName()))
          && wanted.matches(resource.meta(object).getLabelsMap())) {
        objects.add(object);
      }
    }
    printer.add(resource, objects);
    return objects.size();
  }
}
