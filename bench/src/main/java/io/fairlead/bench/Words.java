package io.fairlead.bench;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/** Values of options, in lists with commas. What is off is said with the option's name. */
final class Words {
  private Words() {}

  /** Numbers from 1 to {@code most}. */
  static List<Integer> numbers(String option, String text, int most) {
    return Arrays.stream(text.split(",", -1))
        .map(word -> {
          if (!word.matches("[0-9]{1,7}")
              || Integer.parseInt(word) < 1
              || Integer.parseInt(word) > most) {
            throw new IllegalArgumentException(
                "option --%s: '%s' is not a number from 1 to %d".formatted(option, word, most));
          }
          return Integer.parseInt(word);
        })
        .toList();
  }

  /** The same, each greater than the one before it. */
  static List<Integer> rising(String option, String text, int most) {
    var numbers = numbers(option, text, most);
    for (int i = 1; i < numbers.size(); i++) {
      if (numbers.get(i) <= numbers.get(i - 1)) {
        throw new IllegalArgumentException("option --%s: %s must rise".formatted(option, numbers));
      }
    }
    return numbers;
  }

  /** Names of constants, in lower case. */
  static <E extends Enum<E>> Set<E> constants(String option, String text, Class<E> type) {
    var found = EnumSet.noneOf(type);
    for (var word : text.split(",", -1)) {
      found.add(constant(option, word, type));
    }
    return found;
  }

  /** The name of a constant, in lower case. */
  static <E extends Enum<E>> E constant(String option, String word, Class<E> type) {
    return Arrays.stream(type.getEnumConstants())
        .filter(constant -> name(constant).equals(word))
        .findFirst()
        .orElseThrow(() ->
            new IllegalArgumentException(
                "option --%s: '%s' is none of %s"
                    .formatted(
                        option,
                        word,
                        Arrays.stream(type.getEnumConstants())
                            .map(Words::name)
                            .collect(Collectors.joining(", ")))));
  }

  private static String name(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }
}
