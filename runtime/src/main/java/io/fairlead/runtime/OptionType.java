package io.fairlead.runtime;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * How the text of an option becomes a value.
 *
 * @param form what is allowed, for help texts and messages, e.g. {@code 1..65535}
 * @param check the value, or the words that complete "--name: "
 */
public record OptionType<T>(String form, Function<String, Checked<T>> check) {
  /** What came of a text. */
  public sealed interface Checked<T> {}

  public record Good<T>(T value) implements Checked<T> {}

  public record Bad<T>(String words) implements Checked<T> {}

  private static final Pattern DURATION = Pattern.compile("(0|[1-9][0-9]{0,11})(ms|s|m|h|d)");

  /** A type by a parser that answers empty for what is not allowed. */
  public static <T> OptionType<T> of(String form, Function<String, Optional<T>> parser) {
    return new OptionType<>(
        form,
        text ->
            parser
                .apply(text)
                .<Checked<T>>map(Good::new)
                .orElseGet(() -> new Bad<>("\"" + text + "\" is not " + form)));
  }

  /** Any text that is not blank. */
  public static OptionType<String> text() {
    return of("text", text -> text.isBlank() ? Optional.empty() : Optional.of(text));
  }

  /** Text that a pattern describes; {@code form} says it in words. */
  public static OptionType<String> text(String form, String regex) {
    var pattern = Pattern.compile(regex);
    return of(form, text -> pattern.matcher(text).matches() ? Optional.of(text) : Optional.empty());
  }

  /** An RFC 1123 label, such as the name of a replica or a node. */
  public static OptionType<String> name() {
    return text(
        "a name of at most 63 lower-case letters, digits, '-' and '.'",
        "[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?");
  }

  public static OptionType<Integer> integer(int least, int most) {
    return of(
        least + ".." + most,
        text -> {
          try {
            int value = Integer.parseInt(text);
            return value < least || value > most ? Optional.empty() : Optional.of(value);
          } catch (NumberFormatException _) {
            return Optional.empty();
          }
        });
  }

  /** With its unit: {@code 200ms}, {@code 5s}, {@code 10m}, {@code 1h}, {@code 7d}. */
  public static OptionType<Duration> duration(Duration least, Duration most) {
    return of(
        "a duration from " + text(least) + " to " + text(most) + " (e.g. 200ms, 5s, 10m, 1h)",
        text -> {
          var matcher = DURATION.matcher(text);
          if (!matcher.matches()) {
            return Optional.empty();
          }
          long number = Long.parseLong(matcher.group(1));
          var value =
              switch (matcher.group(2)) {
                case "ms" -> Duration.ofMillis(number);
                case "s" -> Duration.ofSeconds(number);
                case "m" -> Duration.ofMinutes(number);
                case "h" -> Duration.ofHours(number);
                default -> Duration.ofDays(number);
              };
          return value.compareTo(least) < 0 || value.compareTo(most) > 0
              ? Optional.empty()
              : Optional.of(value);
        });
  }

  /** A duration in the form that {@link #duration} reads. */
  public static String text(Duration duration) {
    long millis = duration.toMillis();
    if (millis % 1000 != 0) {
      return millis + "ms";
    }
    long seconds = millis / 1000;
    if (seconds != 0 && seconds % 3600 == 0) {
      return seconds / 3600 + "h";
    }
    return seconds != 0 && seconds % 60 == 0 ? seconds / 60 + "m" : seconds + "s";
  }

  /** One of the constants, by their {@code toString}, in any case. */
  public static <E extends Enum<E>> OptionType<E> oneOf(Class<E> type) {
    var constants = type.getEnumConstants();
    var form = Arrays.stream(constants).map(Enum::toString).collect(Collectors.joining(" or "));
    return of(
        form,
        text ->
            Arrays.stream(constants).filter(c -> c.toString().equalsIgnoreCase(text)).findFirst());
  }

  /** {@code true} or {@code false}; on the command line the name alone means true. */
  public static OptionType<Boolean> flag() {
    return of(
        FLAG_FORM,
        text ->
            switch (text) {
              case "true" -> Optional.of(true);
              case "false" -> Optional.of(false);
              default -> Optional.empty();
            });
  }

  private static final String FLAG_FORM = "true or false";

  boolean isFlag() {
    return form.equals(FLAG_FORM);
  }

  /** Where to listen: host may be left out, port may be 0 (any free one). */
  public static OptionType<HostPort> listenAddress() {
    return of("host:port, e.g. 0.0.0.0:7401 or [::]:7401", HostPort::parse);
  }

  /** Where something is reached. */
  public static OptionType<HostPort> address() {
    return of(
        "host:port, e.g. 10.0.0.5:7401 or [2001:db8::5]:7401",
        text -> HostPort.parse(text).filter(a -> !a.host().isEmpty() && a.port() > 0));
  }

  /** At least one {@link #address}, separated by commas. */
  public static OptionType<List<HostPort>> addresses() {
    return listOf(address());
  }

  public static OptionType<Address> ip() {
    return of("an IP address", Address::parse);
  }

  public static OptionType<Cidr> cidr() {
    return of("a CIDR block without host bits, e.g. 10.96.0.0/16", Cidr::parse);
  }

  public static OptionType<Path> path() {
    return of(
        "a path",
        text -> {
          try {
            return text.isBlank() ? Optional.empty() : Optional.of(Path.of(text));
          } catch (InvalidPathException _) {
            return Optional.empty();
          }
        });
  }

  /** {@code http} or {@code https} with host and port. */
  public static OptionType<URI> httpUrl() {
    return of(
        "a URL like http://127.0.0.1:2379",
        text -> {
          try {
            var url = new URI(text);
            return ("http".equals(url.getScheme()) || "https".equals(url.getScheme()))
                    && url.getHost() != null
                    && url.getPort() > 0
                ? Optional.of(url)
                : Optional.empty();
          } catch (URISyntaxException _) {
            return Optional.empty();
          }
        });
  }

  /** At least one of them, separated by commas, without blanks. */
  public static <T> OptionType<List<T>> listOf(OptionType<T> element) {
    return new OptionType<>(
        "a comma-separated list of: " + element.form(),
        text -> {
          var values = new ArrayList<T>();
          for (var part : text.split(",", -1)) {
            switch (element.check().apply(part)) {
              case Good<T>(var value) -> values.add(value);
              case Bad<T>(var words) -> {
                return new Bad<>(words);
              }
            }
          }
          return new Good<>(List.copyOf(values));
        });
  }
}
