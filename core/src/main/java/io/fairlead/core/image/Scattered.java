package io.fairlead.core.image;

/**
 * A value in an order of its own, that of a hash: for sets whose values are asked for all together.
 * A comparison looks at two numbers that lie at hand, where one of names would follow four
 * references into memory that is far away.
 */
record Scattered<T extends Comparable<T>>(int hash, T value) implements Comparable<Scattered<T>> {
  static <T extends Comparable<T>> Scattered<T> of(T value) {
    return new Scattered<>(value.hashCode(), value);
  }

  @Override
  public int compareTo(Scattered<T> other) {
    int order = Integer.compare(hash, other.hash);
    return order == 0 ? value.compareTo(other.value) : order;
  }
}
