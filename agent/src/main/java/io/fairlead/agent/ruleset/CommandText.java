package io.fairlead.agent.ruleset;

import io.fairlead.agent.ruleset.Command.AddChain;
import io.fairlead.agent.ruleset.Command.AddElement;
import io.fairlead.agent.ruleset.Command.AddRule;
import io.fairlead.agent.ruleset.Command.AddSet;
import io.fairlead.agent.ruleset.Command.AddTable;
import io.fairlead.agent.ruleset.Command.DeleteChain;
import io.fairlead.agent.ruleset.Command.DeleteElement;
import io.fairlead.agent.ruleset.Command.DeleteSet;
import io.fairlead.agent.ruleset.Command.DeleteTable;
import io.fairlead.agent.ruleset.Command.FlushChain;
import java.util.List;

/**
 * Commands as libnftables reads them. One text is one transaction: all of it happens, or nothing.
 */
public final class CommandText {
  /** Name of our tables. */
  public static final String TABLE = "fairlead";

  private CommandText() {}

  /**
   * The text; neighbours that add to or delete from the same set share one line, which loads
   * several times faster.
   */
  public static String render(Layout layout, List<Command> commands) {
    var table = " " + layout.nftFamily() + " " + TABLE;
    var text = new StringBuilder(64 * commands.size());
    for (int i = 0; i < commands.size(); ) {
      int end = i + 1;
      switch (commands.get(i)) {
        case AddTable() -> text.append("add table").append(table);
        case DeleteTable() -> text.append("delete table").append(table);
        case AddSet(var spec) ->
            text.append(spec.kind() == Command.SetKind.MAP ? "add map" : "add set")
                .append(table)
                .append(' ')
                .append(spec.name())
                .append(" { ")
                .append(spec.declaration())
                .append(" }");
        case DeleteSet(var name) ->
            text.append("delete set").append(table).append(' ').append(name);
        case AddChain(var name, var hook) -> {
          text.append("add chain").append(table).append(' ').append(name);
          hook.ifPresent(h -> text.append(" { ").append(h).append(" }"));
        }
        case FlushChain(var name) ->
            text.append("flush chain").append(table).append(' ').append(name);
        case AddRule(var chain, var rule) ->
            text.append("add rule")
                .append(table)
                .append(' ')
                .append(chain)
                .append(' ')
                .append(rule.text())
                .append(" comment \"")
                .append(rule.fingerprint())
                .append('"');
        case DeleteChain(var name) ->
            text.append("delete chain").append(table).append(' ').append(name);
        case AddElement(var element, var value) -> {
          text.append("add element")
              .append(table)
              .append(' ')
              .append(element.set())
              .append(" { ")
              .append(element.key());
          value.ifPresent(v -> text.append(" : ").append(v));
          while (end < commands.size()
              && commands.get(end) instanceof AddElement(var other, var otherValue)
              && other.set().equals(element.set())) {
            text.append(", ").append(other.key());
            otherValue.ifPresent(v -> text.append(" : ").append(v));
            end++;
          }
          text.append(" }");
        }
        case DeleteElement(var element) -> {
          text.append("delete element")
              .append(table)
              .append(' ')
              .append(element.set())
              .append(" { ")
              .append(element.key());
          while (end < commands.size()
              && commands.get(end) instanceof DeleteElement(var other)
              && other.set().equals(element.set())) {
            text.append(", ").append(other.key());
            end++;
          }
          text.append(" }");
        }
      }
      text.append('\n');
      i = end;
    }
    return text.toString();
  }
}
