package io.fairlead.cli;

import io.fairlead.core.model.LabelSelector;
import java.util.ArrayList;
import java.util.List;

/**
 * Which objects the arguments name: {@code TYPE [NAME...]} or {@code TYPE/NAME...}, where the first
 * form may name several types.
 *
 * @param names empty = all of them
 */
record Selection(Resource<?> resource, List<String> names) {
  Selection {
    names = List.copyOf(names);
  }

  /**
   * @param arguments at least one
   */
  static List<Selection> of(List<String> arguments) {
    if (arguments.stream().anyMatch(a -> a.contains("/"))) {
      var selections = new ArrayList<Selection>();
      for (var argument : arguments) {
        int slash = argument.indexOf('/');
        if (slash <= 0 || slash == argument.length() - 1 || argument.indexOf('/', slash + 1) >= 0) {
          throw new UsageException(
              "error: there is no need to specify a resource type as a separate argument when passing "
                  + "arguments in resource/name form (e.g. 'fairlead get service/web' instead of "
                  + "'fairlead get service web')");
        }
        selections.add(
            new Selection(
                Resource.of(argument.substring(0, slash)), List.of(argument.substring(slash + 1))));
      }
      return selections;
    }
    var names = arguments.subList(1, arguments.size());
    var resources = Resource.all(arguments.getFirst());
    return resources.stream().<Selection>map(r -> new Selection(r, names)).toList();
  }

  /**
   * What {@code -l} says.
   *
   * @throws CliException it is no selector
   */
  static LabelSelector selector(String text) {
    return switch (LabelSelector.parse(text)) {
      case LabelSelector.Parsed.Valid(var valid) -> valid;
      case LabelSelector.Parsed.Invalid(var message) ->
          throw new UsageException("error: --selector: " + message);
    };
  }
}
