package io.fairlead.core.image;

import io.fairlead.core.model.DomainObject;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * An object and the offset of its record, which is its version. In the working image of a group
 * commit an object that was changed by this commit has no offset yet: it is pending and matches no
 * version that a caller may expect. Immutable.
 */
public final class Versioned<T extends DomainObject> {
  private final T object;
  private final @Nullable Long offset;

  private Versioned(T object, @Nullable Long offset) {
    this.object = object;
    this.offset = offset;
  }

  /** The object as the record at that offset stores it. */
  public static <T extends DomainObject> Versioned<T> at(T object, long offset) {
    if (offset < 0) {
      throw new IllegalArgumentException("offset " + offset + " of " + object.key());
    }
    return new Versioned<>(object, offset);
  }

  /** The object as it was decided but not yet appended. */
  public static <T extends DomainObject> Versioned<T> pending(T object) {
    return new Versioned<>(object, null);
  }

  public T object() {
    return object;
  }

  /**
   * The same, known to be of that kind.
   *
   * @throws ClassCastException it is of another
   */
  @SuppressWarnings("unchecked") // nothing is ever put into one
  <S extends DomainObject> Versioned<S> as(Class<S> kind) {
    var _ = kind.cast(object);
    return (Versioned<S>) this;
  }

  /** About how much memory the object takes, in bytes; costs an encoding of it. */
  public int size() {
    return CanonicalEncoding.encode(object).length;
  }

  public boolean isPending() {
    return offset == null;
  }

  /**
   * Offset of the object's record: its {@code resourceVersion}.
   *
   * @throws IllegalStateException it is pending
   */
  public long offset() {
    if (offset == null) {
      throw new IllegalStateException(object.key() + " is pending and has no offset");
    }
    return offset;
  }

  /** Whether this is the version a caller expects. False while pending. */
  public boolean matches(long expected) {
    return offset != null && offset == expected;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Versioned<?> that
        && object.equals(that.object)
        && Objects.equals(offset, that.offset);
  }

  @Override
  public int hashCode() {
    return Objects.hash(object, offset);
  }

  @Override
  public String toString() {
    return object + "@" + Optional.ofNullable(offset).map(Object::toString).orElse("pending");
  }
}
