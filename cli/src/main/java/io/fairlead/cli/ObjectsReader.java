package io.fairlead.cli;

/**
 * Takes what a watch tells. A watch whose replica goes is opened again: mostly where it was, else
 * everything is told anew; so what is there was not necessarily added just now.
 */
interface ObjectsReader<T> {
  /** Whether there should be more. */
  enum Then {
    MORE,
    ENOUGH
  }

  /** Everything that is there will be told now. */
  void opened();

  /**
   * What differs from what was told will be told now, perhaps some of it again; then it is synced.
   */
  default void resumed() {}

  /** It is there, in this form. */
  Then put(T object);

  /** It is gone; as it was told last. */
  Then gone(T object);

  /** Everything that was there at the beginning has been told. */
  Then synced();
}
