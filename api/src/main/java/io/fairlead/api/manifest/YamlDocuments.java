package io.fairlead.api.manifest;

import java.util.ArrayList;
import java.util.List;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.api.lowlevel.Parse;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.Node;

/**
 * Text to trees of YAML (and JSON, which is YAML), bounded before anything recursive looks at it.
 */
final class YamlDocuments {
  private static final int MAX_CODE_POINTS = 4 << 20;
  private static final int MAX_DEPTH = 64;
  private static final int MAX_ALIASES = 1_000;

  private YamlDocuments() {}

  /** The roots of the documents; what is wrong with the syntax goes to {@code notes}. */
  static List<Node> read(String source, String text, Notes notes) {
    if (text.codePointCount(0, text.length()) > MAX_CODE_POINTS) {
      notes.fault(1, "", "larger than " + MAX_CODE_POINTS + " characters");
      return List.of();
    }
    var settings =
        LoadSettings.builder()
            .setLabel(source)
            .setCodePointLimit(MAX_CODE_POINTS)
            .setMaxAliasesForCollections(MAX_ALIASES)
            .setAllowNonScalarKeys(true) // refused where they are read, with their line
            .build();
    var roots = new ArrayList<Node>();
    try {
      if (bounded(new Parse(settings).parseString(text), notes)) {
        new Compose(settings).composeAllFromString(text).forEach(roots::add);
      }
    } catch (MarkedYamlEngineException e) {
      int line = e.getProblemMark().or(e::getContextMark).map(Mark::getLine).orElse(0) + 1;
      notes.fault(line, "", "not YAML: " + e.getProblem());
    } catch (YamlEngineException e) {
      notes.fault(1, "", "not YAML: " + e.getMessage());
    }
    return roots;
  }

  private static boolean bounded(Iterable<Event> events, Notes notes) {
    int depth = 0;
    int aliases = 0;
    for (var event : events) {
      switch (event.getEventId()) {
        case SequenceStart, MappingStart -> depth++;
        case SequenceEnd, MappingEnd -> depth--;
        case Alias -> aliases++;
        case Comment, DocumentEnd, DocumentStart, Scalar, StreamEnd, StreamStart -> {}
      }
      if (depth > MAX_DEPTH || aliases > MAX_ALIASES) {
        notes.fault(
            event.getStartMark().map(Mark::getLine).orElse(0) + 1,
            "",
            depth > MAX_DEPTH
                ? "nested deeper than " + MAX_DEPTH
                : "more than " + MAX_ALIASES + " aliases");
        return false;
      }
    }
    return true;
  }
}
