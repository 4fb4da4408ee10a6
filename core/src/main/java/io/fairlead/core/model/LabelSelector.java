package io.fairlead.core.model;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Which labels an object must carry, in the text form of Kubernetes: requirements that are joined
 * by commas and all hold, e.g. {@code app=web,tier in (a,b),!legacy,size>3}. The empty selector
 * selects everything.
 *
 * @see <a href="https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/">Labels
 *     and selectors</a>
 */
public record LabelSelector(List<Requirement> requirements) {
  public static final LabelSelector EVERYTHING = new LabelSelector(List.of());

  public LabelSelector {
    requirements = List.copyOf(requirements);
  }

  /** One condition on the value of one label. */
  public sealed interface Requirement {
    String key();

    boolean matches(Optional<String> value);
  }

  /** {@code key=value}, {@code key==value}, {@code key in (a,b)}. */
  public record In(String key, NavigableSet<String> values) implements Requirement {
    @Override
    public boolean matches(Optional<String> value) {
      return value.filter(values::contains).isPresent();
    }
  }

  /** {@code key!=value}, {@code key notin (a,b)}: also matches where there is no such label. */
  public record NotIn(String key, NavigableSet<String> values) implements Requirement {
    @Override
    public boolean matches(Optional<String> value) {
      return value.filter(values::contains).isEmpty();
    }
  }

  /** {@code key}. */
  public record Exists(String key) implements Requirement {
    @Override
    public boolean matches(Optional<String> value) {
      return value.isPresent();
    }
  }

  /** {@code !key}. */
  public record Absent(String key) implements Requirement {
    @Override
    public boolean matches(Optional<String> value) {
      return value.isEmpty();
    }
  }

  /**
   * {@code key>bound}, {@code key<bound}: the value must be a whole number on that side of the
   * bound.
   */
  public record Compared(String key, Side side, long bound) implements Requirement {
    public enum Side {
      ABOVE,
      BELOW
    }

    @Override
    public boolean matches(Optional<String> value) {
      return value
          .flatMap(LabelSelector::number)
          .filter(number -> side == Side.ABOVE ? number > bound : number < bound)
          .isPresent();
    }
  }

  public boolean matches(Map<String, String> labels) {
    return requirements.stream()
        .allMatch(
            requirement -> requirement.matches(Optional.ofNullable(labels.get(requirement.key()))));
  }

  /** What a text says: a selector, or why it is none. */
  public sealed interface Parsed {
    record Valid(LabelSelector selector) implements Parsed {}

    /**
     * @param message names the place and what is allowed there
     */
    record Invalid(String message) implements Parsed {}
  }

  public static Parsed parse(String text) {
    try {
      return new Parsed.Valid(new Parser(text).selector());
    } catch (Malformed e) {
      return new Parsed.Invalid(e.words);
    }
  }

  private static Optional<Long> number(String text) {
    return text.matches("[+-]?[0-9]{1,18}") ? Optional.of(Long.parseLong(text)) : Optional.empty();
  }

  /** Ends a parse; never leaves {@link #parse}. */
  private static final class Malformed extends Exception {
    private static final long serialVersionUID = 1;

    private final String words;

    Malformed(String words) {
      super(words, null, false, false);
      this.words = words;
    }
  }

  /** Reads one text from left to right. */
  private static final class Parser {
    private static final String SYMBOLS = "=!<>(),";

    private final String text;
    private int at;

    Parser(String text) {
      this.text = text;
    }

    LabelSelector selector() throws Malformed {
      var requirements = new ArrayList<Requirement>();
      skipSpace();
      if (at == text.length()) {
        return EVERYTHING;
      }
      while (true) {
        requirements.add(requirement());
        if (at == text.length()) {
          return new LabelSelector(requirements);
        }
        expect(',');
      }
    }

    private Requirement requirement() throws Malformed {
      if (take('!')) {
        return new Absent(key());
      }
      var key = key();
      if (at == text.length() || text.charAt(at) == ',') {
        return new Exists(key);
      }
      if (take('=')) {
        take('=');
        return new In(key, values(value()));
      }
      if (take('!')) {
        expect('=');
        return new NotIn(key, values(value()));
      }
      if (take('>')) {
        return new Compared(key, Compared.Side.ABOVE, bound());
      }
      if (take('<')) {
        return new Compared(key, Compared.Side.BELOW, bound());
      }
      var word = word();
      return switch (word) {
        case "in" -> new In(key, list());
        case "notin" -> new NotIn(key, list());
        default ->
            throw new Malformed(
                "after "
                    + quoted(key)
                    + " expected =, ==, !=, in, notin, <, > or a comma, found "
                    + quoted(word));
      };
    }

    private String key() throws Malformed {
      int start = at;
      var key = word();
      var fault = LabelSyntax.keyFault(key);
      if (!fault.isEmpty()) {
        throw new Malformed(
            "at character " + (start + 1) + ": " + quoted(key) + " is no label key: " + fault);
      }
      return key;
    }

    private String value() throws Malformed {
      int start = at;
      var value = word();
      var fault = LabelSyntax.valueFault(value);
      if (!fault.isEmpty()) {
        throw new Malformed(
            "at character "
                + (start + 1)
                + ": "
                + quoted(value)
                + " is no label value: it "
                + fault);
      }
      return value;
    }

    private long bound() throws Malformed {
      var word = word();
      return number(word)
          .orElseThrow(() ->
              new Malformed(quoted(word) + " is not a whole number; < and > compare numbers"));
    }

    private NavigableSet<String> list() throws Malformed {
      expect('(');
      var values = new TreeSet<String>();
      values.add(value());
      while (take(',')) {
        values.add(value());
      }
      expect(')');
      return Collections.unmodifiableNavigableSet(values);
    }

    /** What stands before the next symbol or space; may be empty. */
    private String word() {
      int start = at;
      while (at < text.length()
          && SYMBOLS.indexOf(text.charAt(at)) < 0
          && !Character.isWhitespace(text.charAt(at))) {
        at++;
      }
      var word = text.substring(start, at);
      skipSpace();
      return word;
    }

    private boolean take(char symbol) {
      if (at < text.length() && text.charAt(at) == symbol) {
        at++;
        skipSpace();
        return true;
      }
      return false;
    }

    private void expect(char symbol) throws Malformed {
      if (!take(symbol)) {
        throw new Malformed(
            "expected '"
                + symbol
                + "' at character "
                + (at + 1)
                + ", found "
                + (at == text.length() ? "the end" : quoted(text.substring(at, at + 1))));
      }
    }

    private void skipSpace() {
      while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
        at++;
      }
    }

    private static NavigableSet<String> values(String value) {
      return Collections.unmodifiableNavigableSet(new TreeSet<>(List.of(value)));
    }

    private static String quoted(String word) {
      return '"' + word + '"';
    }
  }

  /** The text form; parses to an equal selector. */
  @Override
  public String toString() {
    return requirements.stream().map(LabelSelector::text).collect(Collectors.joining(","));
  }

  private static String text(Requirement requirement) {
    return switch (requirement) {
      case In(var key, var values) -> key + " in (" + String.join(",", values) + ")";
      case NotIn(var key, var values) -> key + " notin (" + String.join(",", values) + ")";
      case Exists(var key) -> key;
      case Absent(var key) -> "!" + key;
      case Compared(var key, var side, var bound) ->
          key + (side == Compared.Side.ABOVE ? ">" : "<") + bound;
    };
  }
}
