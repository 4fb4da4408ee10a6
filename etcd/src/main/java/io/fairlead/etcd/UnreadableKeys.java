package io.fairlead.etcd;

import static io.fairlead.etcd.EtcdKeys.text;

import io.etcd.jetcd.KeyValue;
import io.fairlead.core.run.GatewayException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keys that hold what nobody here can read, written by hand or by a fault. A listing passes them
 * over, because the others count all the same; each is told once as it is. Thread-safe; as large as
 * what the last listings found.
 */
final class UnreadableKeys {
  private static final Logger log = LoggerFactory.getLogger(UnreadableKeys.class);

  private final Map<String, Long> revisions = new ConcurrentHashMap<>();

  /** How many there are by the last listing of each kind. */
  int size() {
    return revisions.size();
  }

  /**
   * What can be read of a listing.
   *
   * @param prefix of all its keys
   * @param read throws GatewayException for what cannot be read
   */
  <T> List<T> readable(String prefix, Collection<KeyValue> listed, Function<KeyValue, T> read) {
    var found = new ArrayList<T>(listed.size());
    var unreadable = new HashSet<String>();
    for (var kv : listed) {
      try {
        found.add(read.apply(kv));
      } catch (GatewayException e) {
        var key = text(kv.getKey());
        unreadable.add(key);
        var told = revisions.put(key, kv.getModRevision());
        if (told == null || told != kv.getModRevision()) {
          log.atError()
              .addKeyValue("event", "etcd.key.unreadable")
              .addKeyValue("key", key)
              .addKeyValue("cause", e.getMessage())
              .log("A key in etcd cannot be read; it is passed over");
        }
      }
    }
    revisions.keySet().removeIf(key -> key.startsWith(prefix) && !unreadable.contains(key));
    return found;
  }
}
