package io.fairlead.api.manifest;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.nodes.Node;

/** What is found while one source is read. Lives for one call on one thread. */
final class Notes {
  /** Reading a manifest of 4 MiB visits fewer; only aliases of aliases can make more of less. */
  private static final int MAX_VISITS = 500_000;

  private final String source;
  private final List<Note> faults = new ArrayList<>();
  private final List<Note> warnings = new ArrayList<>();
  private Optional<Note.Subject> subject = Optional.empty();
  private int visits;

  /** A manifest is not worth reading to its end. */
  static final class TooMuchException extends RuntimeException {
    private static final long serialVersionUID = 1;

    TooMuchException(String message) {
      super(message);
    }
  }

  Notes(String source) {
    this.source = source;
  }

  void visit() {
    if (++visits > MAX_VISITS) {
      throw new TooMuchException("more than " + MAX_VISITS + " values once aliases are expanded");
    }
  }

  /** What follows is about this object. */
  void about(Note.Subject subject) {
    this.subject = Optional.of(subject);
  }

  /** What follows is about none. */
  void aboutNone() {
    subject = Optional.empty();
  }

  void fault(Node at, String field, String message) {
    fault(line(at), field, message);
  }

  void fault(int line, String field, String message) {
    faults.add(new Note(source, line, subject, field, message));
  }

  void ignored(Node at, String field) {
    warning(at, field, "has no meaning here and is ignored");
  }

  void warning(Node at, String field, String message) {
    warnings.add(new Note(source, line(at), subject, field, message));
  }

  static int line(Node node) {
    return node.getStartMark().map(Mark::getLine).orElse(0) + 1;
  }

  /** In the order of the text. */
  List<Note> faults() {
    return sorted(faults);
  }

  /** In the order of the text. */
  List<Note> warnings() {
    return sorted(warnings);
  }

  private static List<Note> sorted(List<Note> notes) {
    return notes.stream().sorted(Comparator.comparingInt(Note::line)).toList();
  }
}
