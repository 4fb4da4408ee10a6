package io.fairlead.runtime;

import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * One thing that can be configured: {@code --name=value} or the environment variable {@code
 * FAIRLEAD_NAME}. Immutable; each method answers a changed copy.
 *
 * @param name lower case with dashes, without the leading ones
 * @param fallback the text it has where nobody gives one; a supplier, since some depend on the
 *     machine
 * @param fallbackWords how help and documentation show the fallback, the same on every machine
 */
public record Option<T>(
    String name,
    OptionType<T> type,
    String description,
    Optional<Supplier<String>> fallback,
    String fallbackWords,
    Presence presence,
    Secrecy secrecy) {
  /** What happens where nobody gives it and there is no fallback. */
  public enum Presence {
    /** The start is refused. */
    REQUIRED,
    /** It has no value: ask with {@link ConfigValues#find}. */
    OPTIONAL
  }

  public enum Secrecy {
    PUBLIC,
    /**
     * Never shown; also read from the file that {@code --name-file} or {@code FAIRLEAD_NAME_FILE}
     * names.
     */
    SECRET
  }

  public static <T> Option<T> of(String name, OptionType<T> type, String description) {
    return new Option<>(
        name, type, description, Optional.empty(), "", Presence.REQUIRED, Secrecy.PUBLIC);
  }

  /** Off unless given. */
  public static Option<Boolean> flag(String name, String description) {
    return of(name, OptionType.flag(), description).withDefault("false");
  }

  public Option<T> withDefault(String text) {
    return withDefault(() -> text, text);
  }

  /** A default that depends on the machine, and how to put it in words. */
  public Option<T> withDefault(Supplier<String> text, String words) {
    return new Option<>(name, type, description, Optional.of(text), words, presence, secrecy);
  }

  public Option<T> optional() {
    return new Option<>(
        name, type, description, fallback, fallbackWords, Presence.OPTIONAL, secrecy);
  }

  public Option<T> secret() {
    return new Option<>(name, type, description, fallback, fallbackWords, presence, Secrecy.SECRET);
  }

  /** The environment variable: {@code etcd-endpoints} is {@code FAIRLEAD_ETCD_ENDPOINTS}. */
  public String variable() {
    return "FAIRLEAD_" + name.toUpperCase(Locale.ROOT).replace('-', '_');
  }
}
