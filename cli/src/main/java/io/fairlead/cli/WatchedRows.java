package io.fairlead.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * Prints what a watch tells: what is there, then a row for each change; of what is gone, its last
 * row. After a broken stream only what differs from before. Used by the thread that watches.
 */
final class WatchedRows<T> implements ObjectsReader<T> {
  private final Resource<T> resource;
  private final ObjectPrinter printer;
  private final Console console;

  /** As they were printed; or will be, before the first time that all of them are known. */
  private final Map<String, T> known = new LinkedHashMap<>();

  /** What this stream told before it said that this was all; nobody needs it after that. */
  private final TreeSet<String> told = new TreeSet<>();

  private boolean listing = true;
  private boolean begun;

  WatchedRows(Resource<T> resource, ObjectPrinter printer, Console console) {
    this.resource = resource;
    this.printer = printer;
    this.console = console;
  }

  private String key(T object) {
    var meta = resource.meta(object);
    return meta.getNamespace() + "/" + meta.getName();
  }

  @Override
  public void opened() {
    told.clear();
    listing = true;
  }

  @Override
  public void resumed() {
    told.clear();
    listing = false;
  }

  /** How many names it holds besides what it knows. */
  int held() {
    return told.size();
  }

  @Override
  public Then put(T object) {
    if (listing) {
      told.add(key(object));
    }
    var before = known.put(key(object), object);
    return begun && !object.equals(before) ? print(List.of(object)) : Then.MORE;
  }

  @Override
  public Then gone(T object) {
    boolean was = known.remove(key(object)) != null; // else it was told before the stream broke
    told.remove(key(object));
    return begun && was ? print(List.of(object)) : Then.MORE;
  }

  @Override
  public Then synced() {
    try {
      return listing ? compared() : Then.MORE;
    } finally {
      listing = false;
      told.clear();
    }
  }

  private Then compared() {
    if (!begun) {
      begun = true;
      known.keySet().retainAll(told); // a stream that broke may have told of more
      return known.isEmpty() ? Then.MORE : print(List.copyOf(known.values()));
    }
    var gone = new ArrayList<T>();
    known.forEach((key, object) -> {
      if (!told.contains(key)) {
        gone.add(object);
      }
    });
    gone.forEach(object -> known.remove(key(object)));
    return gone.isEmpty() ? Then.MORE : print(gone);
  }

  /** Enough where nobody reads it any more, as behind {@code | head}. */
  private Then print(List<T> objects) {
    printer.addBelow(resource, objects);
    return console.out().checkError() ? Then.ENOUGH : Then.MORE;
  }
}
