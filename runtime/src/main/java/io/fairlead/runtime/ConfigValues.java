package io.fairlead.runtime;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;

/** What is in force: every option of a schema, checked. Immutable. */
public final class ConfigValues {
  /** Where a value came from. */
  public enum Source {
    COMMAND_LINE("command line"),
    ENVIRONMENT("environment"),
    FILE("file"),
    DEFAULT("default"),
    NOWHERE("not set");

    private final String text;

    Source(String text) {
      this.text = text;
    }

    @Override
    public String toString() {
      return text;
    }
  }

  /**
   * One option.
   *
   * @param text as it was given
   * @param value absent only with {@link Source#NOWHERE}
   */
  record Given(Option<?> option, Source source, String text, Optional<Object> value) {}

  private final Map<String, Given> byName;

  ConfigValues(Map<String, Given> byName) {
    this.byName = new LinkedHashMap<>(byName);
  }

  /** The value of an option of the schema that has a default or is required. */
  public <T> T get(Option<T> option) {
    return find(option)
        .orElseThrow(() -> new IllegalArgumentException("--" + option.name() + " has no value"));
  }

  /** The value of an option of the schema; empty where it is optional and was not given. */
  @SuppressWarnings("unchecked") // the value was made by the type of the option with this name
  public <T> Optional<T> find(Option<T> option) {
    return given(option).value().map(value -> (T) value);
  }

  public Source source(Option<?> option) {
    return given(option).source();
  }

  private Given given(Option<?> option) {
    var given = byName.get(option.name());
    if (given == null || !given.option().equals(option)) {
      throw new IllegalArgumentException("--" + option.name() + " is not in the schema");
    }
    return given;
  }

  /** For people: a line for each option with its value and source; secrets are hidden. */
  public String describe() {
    var lines = new StringBuilder();
    byName.forEach((name, given) ->
        lines
            .append("--")
            .append(name)
            .append('=')
            .append(shown(given))
            .append("  (")
            .append(given.source())
            .append(")\n"));
    return lines.toString();
  }

  /** One INFO line with every option, its value and source; secrets are hidden. */
  public void log(Logger logger) {
    var event = logger.atInfo().addKeyValue("event", "config.in-force");
    for (var entry : byName.entrySet()) {
      var given = entry.getValue();
      event = event.addKeyValue(entry.getKey(), shown(given) + " (" + given.source() + ")");
    }
    event.log("Configuration in force");
  }

  private static String shown(Given given) {
    return switch (given.option().secrecy()) {
      case PUBLIC -> given.text();
      case SECRET -> given.value().isPresent() ? "<hidden>" : "";
    };
  }

  /** Hides what is secret. */
  @Override
  public String toString() {
    return describe();
  }
}
