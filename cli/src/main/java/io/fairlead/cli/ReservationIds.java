package io.fairlead.cli;

import java.util.List;
import java.util.function.UnaryOperator;

/** Reservations that a command names. */
final class ReservationIds {
  private ReservationIds() {}

  /**
   * Does it with each, also where it failed with others, and says what came of it. Nothing is done
   * where one of them names something else.
   *
   * @param ids may begin with the kind, as other commands print them
   * @param what from the id to the words about it
   * @return exit code
   */
  static int each(List<String> ids, Console console, UnaryOperator<String> what) {
    var resource = new ReservationResource();
    int code = 0;
    for (var id : ids.stream().map(typed -> id(typed, resource)).toList()) {
      try {
        console.out().println(resource.title(id) + " " + what.apply(id));
      } catch (CallFailedException e) {
        console.err().println(e.words());
        code = 1;
      } catch (CliException e) {
        console.err().println(e.words());
        code = 1;
      }
    }
    return code;
  }

  private static String id(String typed, ReservationResource resource) {
    int slash = typed.indexOf('/');
    if (slash >= 0 && !resource.names().contains(typed.substring(0, slash))) {
      throw new UsageException("error: " + typed + " is no reservation");
    }
    return typed.substring(slash + 1);
  }
}
