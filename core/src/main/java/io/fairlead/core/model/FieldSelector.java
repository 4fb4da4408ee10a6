package io.fairlead.core.model;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A field selector of Kubernetes: comparisons of fields with texts, all of which must hold, e.g.
 * {@code spec.type=ClusterIP,spec.clusterIP!=None}.
 */
public record FieldSelector(List<Requirement> requirements) {
  /** Matches everything. */
  public static final FieldSelector EVERYTHING = new FieldSelector(List.of());

  public FieldSelector {
    requirements = List.copyOf(requirements);
  }

  /** How a field is compared. */
  public enum Operator {
    EQUALS,
    DIFFERS
  }

  /**
   * @param value may be ""
   */
  public record Requirement(String field, Operator operator, String value) {
    boolean matches(String actual) {
      return switch (operator) {
        case EQUALS -> actual.equals(value);
        case DIFFERS -> !actual.equals(value);
      };
    }
  }

  /** What came of a text. */
  public sealed interface Parsed {
    record Valid(FieldSelector selector) implements Parsed {}

    /** With what is allowed. */
    record Invalid(String message) implements Parsed {}
  }

  /**
   * Reads {@code field=value}, {@code field==value} and {@code field!=value}, separated by commas;
   * a backslash makes a comma, an equals sign or a backslash of a value an ordinary character.
   *
   * @param supported fields that may be compared, in the order in which they are named in messages
   */
  public static Parsed parse(String text, Collection<String> supported) {
    var requirements = new ArrayList<Requirement>();
    for (var term : terms(text)) {
      int at = operator(term);
      if (at < 0) {
        return new Parsed.Invalid(
            "\"" + term + "\": must be field=value or field!=value; " + fields(supported));
      }
      boolean differs = term.charAt(at) == '!';
      int width = differs || term.startsWith("==", at) ? 2 : 1;
      var field = term.substring(0, at).strip();
      if (!supported.contains(field)) {
        return new Parsed.Invalid(
            "\"" + field + "\" is not a known field selector: " + fields(supported));
      }
      requirements.add(
          new Requirement(
              field,
              differs ? Operator.DIFFERS : Operator.EQUALS,
              unescaped(term.substring(at + width).strip())));
    }
    return new Parsed.Valid(new FieldSelector(requirements));
  }

  private static String fields(Collection<String> supported) {
    return supported.stream().collect(Collectors.joining(", ", "supported are ", ""));
  }

  /**
   * A backslash and what follows it belong to the term. Possessive: else it recurses by character.
   */
  private static final Pattern TERM = Pattern.compile("(?:[^,\\\\]|\\\\.|\\\\$)++");

  private static List<String> terms(String text) {
    return TERM.matcher(text)
        .results()
        .map(found -> found.group().strip())
        .filter(term -> !term.isEmpty())
        .toList();
  }

  private static int operator(String term) {
    for (int i = 0; i < term.length(); i++) {
      if (term.charAt(i) == '=' || term.startsWith("!=", i)) {
        return i;
      }
    }
    return -1;
  }

  private static String unescaped(String value) {
    return value.replaceAll("\\\\([\\\\,=])", "$1");
  }

  /**
   * Whether an object matches.
   *
   * @param field value of a field, "" where it is not set
   */
  public boolean matches(UnaryOperator<String> field) {
    return requirements.stream().allMatch(r -> r.matches(field.apply(r.field())));
  }
}
