package io.fairlead.decider.watch;

import io.fairlead.core.model.Position;

/**
 * What somebody who watches is told.
 *
 * @param <S> an object as it is told
 */
public sealed interface Told<S> {
  record Added<S>(S object) implements Told<S> {}

  record Modified<S>(S object) implements Told<S> {}

  /** As it was told last. */
  record Deleted<S>(S object) implements Told<S> {}

  /** Everything up to there was told, for the first time. */
  record Synced<S>(Position position) implements Told<S> {}

  /** Everything up to there was told. */
  record Bookmark<S>(Position position) implements Told<S> {}
}
