package io.fairlead.cli;

import io.fairlead.v1.Position;

/**
 * What a watch tells, whatever its kind. A position that is not set is the default one.
 *
 * @param <T> an object
 */
sealed interface Told<T> {
  /** It is there, in this form. */
  record There<T>(T object, Position resume) implements Told<T> {}

  /** As it was told last. */
  record Gone<T>(T object, Position resume) implements Told<T> {}

  record Synced<T>(Position position) implements Told<T> {}

  record Bookmark<T>(Position position) implements Told<T> {}

  /** A newer server tells more. */
  record Unknown<T>() implements Told<T> {}
}
