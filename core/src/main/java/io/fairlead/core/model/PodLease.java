package io.fairlead.core.model;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * How long a Pod may go without being applied again before it is deleted: for those who register
 * themselves and may end without a word. Asked for by an annotation, so that it is an ordinary part
 * of the Pod; who applies it again unchanged writes nothing.
 */
public final class PodLease {
  /** Its value is a number of seconds. */
  public static final String ANNOTATION = "fairlead.io/lease-seconds";

  /** What a value must be. */
  public static final String RULE = "must be a whole number of seconds from 2 to 3600";

  private static final Pattern NUMBER = Pattern.compile("[1-9][0-9]{0,3}");
  private static final int SHORTEST = 2;
  private static final int LONGEST = 3600;

  private PodLease() {}

  /** Empty where there is no annotation, or one that breaks {@link #RULE}. */
  public static Optional<Duration> of(Map<String, String> annotations) {
    return Optional.ofNullable(annotations.get(ANNOTATION))
        .filter(text -> NUMBER.matcher(text).matches())
        .map(Integer::parseInt)
        .filter(seconds -> seconds >= SHORTEST && seconds <= LONGEST)
        .map(Duration::ofSeconds);
  }

  /** What the annotation says, where it breaks {@link #RULE}. */
  public static Optional<String> faulty(Map<String, String> annotations) {
    return Optional.ofNullable(annotations.get(ANNOTATION)).filter(_ -> of(annotations).isEmpty());
  }
}
