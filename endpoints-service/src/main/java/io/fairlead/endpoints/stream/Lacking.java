package io.fairlead.endpoints.stream;

import io.fairlead.v1.Chunk;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/**
 * Items that streams lack, in the order in which they are sent, and the messages they are sent in.
 * One object serves all streams that lack the same; immutable but for what it remembers.
 */
final class Lacking {
  /**
   * A message's worth.
   *
   * @param bytes of its entries and keys
   */
  record Part(Chunk chunk, long bytes) {
    boolean isEmpty() {
      return chunk.getSetCount() + chunk.getRemovedCount() == 0;
    }
  }

  private final List<Content.Item> items;
  private volatile Optional<Part> only = Optional.empty();

  Lacking(List<Content.Item> items) {
    this.items = items;
  }

  List<Content.Item> items() {
    return items;
  }

  /**
   * All of it, where one message carries it.
   *
   * @param chunkBytes about how much one carries
   */
  Optional<Part> only(int chunkBytes) {
    if (only.isEmpty()) {
      var rest = items.iterator();
      var part = next(rest, chunkBytes);
      if (rest.hasNext()) {
        return Optional.empty();
      }
      only = Optional.of(part); // any of several equal ones
    }
    return only;
  }

  /** As many as a message carries; none where there are no more. */
  static Part next(Iterator<Content.Item> items, int chunkBytes) {
    var chunk = Chunk.newBuilder();
    long bytes = 0;
    while (items.hasNext() && bytes < chunkBytes) {
      switch (items.next()) {
        case Content.Item.Put(var entry) -> {
          chunk.addSet(entry);
          bytes += entry.size();
        }
        case Content.Item.Removed(var key) -> {
          chunk.addRemoved(key);
          bytes += key.length();
        }
      }
    }
    return new Part(chunk.build(), bytes);
  }
}
