package io.fairlead.etcd;

import static io.fairlead.etcd.EtcdKeys.bytes;
import static io.fairlead.etcd.EtcdKeys.text;

import io.etcd.jetcd.KeyValue;
import io.etcd.jetcd.kv.GetResponse;
import io.etcd.jetcd.kv.TxnResponse;
import io.etcd.jetcd.op.Cmp;
import io.etcd.jetcd.op.CmpTarget;
import io.etcd.jetcd.op.Op;
import io.etcd.jetcd.options.GetOption;
import io.etcd.jetcd.options.PutOption;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import io.fairlead.etcd.Coordination.Lease;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The keys of one etcd: what everything that is kept there is made of. Thread-safe. */
final class EtcdStore {
  private static final Logger log = LoggerFactory.getLogger(EtcdStore.class);

  /**
   * Below etcd's default of 128 operations, which counts those nested in each other, too, and the
   * conditions.
   */
  static final int OPERATIONS = 120;

  /** Answers stay far below gRPC's message limit. */
  static final int PAGE = 4_000;

  /** How often a key that changes under its reader is looked at again. */
  static final int ATTEMPTS = 5;

  static final Op[] NOTHING = {};

  private final EtcdConnection connection;
  private final UnreadableKeys unreadable = new UnreadableKeys();

  EtcdStore(EtcdConnection connection) {
    this.connection = connection;
  }

  EtcdConnection connection() {
    return connection;
  }

  /** What could not be read of what is listed, for people. */
  UnreadableKeys unreadable() {
    return unreadable;
  }

  Optional<KeyValue> get(String key) {
    return connection
        .read("read " + key, client -> client.getKVClient().get(bytes(key)))
        .getKvs()
        .stream()
        .findFirst();
  }

  /** All keys with a prefix at one revision, page by page. */
  List<KeyValue> range(String prefix) {
    for (int i = 0; i < ATTEMPTS; i++) {
      var all = new ArrayList<KeyValue>();
      long revision = 0;
      var from = prefix;
      try {
        while (true) {
          var page = page(from, EtcdKeys.endOf(prefix), revision);
          all.addAll(page.getKvs());
          if (!page.isMore()) {
            return all;
          }
          revision = page.getHeader().getRevision();
          from = text(page.getKvs().getLast().getKey()) + '\0';
        }
      } catch (GatewayException e) {
        // the revision of the first page was compacted away meanwhile
        if (revision == 0
            || !(e.getCause() instanceof BrokenCallException broken)
            || broken.connectionTrouble()) {
          throw e;
        }
      }
    }
    throw changedTooOften(prefix);
  }

  private GetResponse page(String from, String to, long revision) {
    var option =
        GetOption.builder().withRange(bytes(to)).withLimit(PAGE).withRevision(revision).build();
    return connection.read("list " + from, client -> client.getKVClient().get(bytes(from), option));
  }

  TxnResponse putIfUnchanged(
      String what, String key, Optional<KeyValue> found, String value, Lease lease, Op... also) {
    var changes = new ArrayList<>(List.of(also));
    changes.add(
        Op.put(bytes(key), bytes(value), PutOption.builder().withLeaseId(lease.id()).build()));
    return under(lease, () -> commit(what, new Cmp[] {unchanged(key, found)}, changes, List.of()));
  }

  /** etcd answers NOT_FOUND to these where it does not know the lease: no need to wait for more. */
  static <T> T under(Lease lease, Supplier<T> put) {
    try {
      return put.get();
    } catch (GatewayException e) {
      if (lease instanceof KeptLease kept && leaseIsGone(e)) {
        kept.gone();
      }
      throw e;
    }
  }

  /** As many in each as one transaction takes. */
  static <T> List<List<T>> batches(Collection<T> all) {
    var rest = List.copyOf(all);
    var batches = new ArrayList<List<T>>();
    for (int from = 0; from < rest.size(); from += OPERATIONS) {
      batches.add(rest.subList(from, Math.min(rest.size(), from + OPERATIONS)));
    }
    return batches;
  }

  /** That a key is as it was found, or absent where it was not. */
  static Cmp unchanged(String key, Optional<KeyValue> found) {
    return new Cmp(
        bytes(key),
        Cmp.Op.EQUAL,
        found
            .<CmpTarget<?>>map(kv -> CmpTarget.modRevision(kv.getModRevision()))
            .orElse(CmpTarget.version(0)));
  }

  TxnResponse commit(String what, Cmp[] conditions, List<Op> then, List<Op> otherwise) {
    return connection.write(
        what,
        client ->
            client
                .getKVClient()
                .txn()
                .If(conditions)
                .Then(then.toArray(NOTHING))
                .Else(otherwise.toArray(NOTHING))
                .commit());
  }

  /** The ownership key holds this take-over's id. */
  static Cmp[] guard(LogPartition partition, UUID takeover) {
    return firstWordIs(EtcdKeys.owner(partition), takeover);
  }

  /** False also where the key is absent. */
  static Cmp[] firstWordIs(String key, UUID word) {
    return new Cmp[] {
      new Cmp(bytes(key), Cmp.Op.GREATER, CmpTarget.value(bytes(word + " "))),
      new Cmp(bytes(key), Cmp.Op.LESS, CmpTarget.value(bytes(word + "!"))) // '!' follows ' '
    };
  }

  static GatewayException changedTooOften(String key) {
    return new GatewayException(
        Outcome.KNOWN_FAILED, "etcd key " + key + " changed under us " + ATTEMPTS + " times");
  }

  /** A new lease of at least that long; nobody keeps it alive. */
  long grant(Duration ttl) {
    long seconds = ttl.plusNanos(999_999_999).toSeconds();
    return connection
        .write("grant lease", client -> client.getLeaseClient().grant(seconds))
        .getID();
  }

  /** Best effort, without waiting: without its keys a lease is nothing, and it runs out. */
  void revoke(long lease) {
    try {
      var _ = connection.client().getLeaseClient().revoke(lease);
    } catch (RuntimeException e) { // the client was closed under us
      log.atDebug().setCause(e).log("lease not revoked; it runs out");
    }
  }

  /** etcd answers so where a put names a lease that it does not know; nothing happened. */
  static boolean leaseIsGone(GatewayException e) {
    return e.getCause() instanceof BrokenCallException broken
        && broken.code() == Status.Code.NOT_FOUND;
  }
}
