package io.fairlead.etcd;

import static io.fairlead.etcd.EtcdKeys.bytes;
import static io.fairlead.etcd.EtcdKeys.text;

import io.etcd.jetcd.KeyValue;
import io.etcd.jetcd.kv.TxnResponse;
import io.etcd.jetcd.op.Cmp;
import io.etcd.jetcd.op.CmpTarget;
import io.etcd.jetcd.op.Op;
import io.etcd.jetcd.options.DeleteOption;
import io.etcd.jetcd.options.GetOption;
import io.etcd.jetcd.options.PutOption;
import io.fairlead.core.run.GatewayException;
import io.fairlead.etcd.Coordination.Lease;
import io.fairlead.etcd.Coordination.NodeLease;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Which agents live, and which said that they leave. Thread-safe. */
final class EtcdNodes {
  private static final Logger log = LoggerFactory.getLogger(EtcdNodes.class);

  private static final Cmp[] NO_CONDITION = {};

  private final EtcdStore store;

  EtcdNodes(EtcdStore store) {
    this.store = store;
  }

  Set<String> putNodes(Collection<NodeLease> nodes, Lease lease) {
    return putAll(
        "put nodes", EtcdKeys::node, nodes, lease.id(), put -> EtcdStore.under(lease, put));
  }

  void removeNodes(Collection<NodeLease> nodes) {
    for (var batch : EtcdStore.batches(nodes)) {
      store.commit(
          "remove nodes", NO_CONDITION, batch.stream().map(EtcdNodes::removal).toList(), List.of());
    }
  }

  /** Of the key of that session and no other. */
  private static Op removal(NodeLease node) {
    var key = bytes(EtcdKeys.node(node.node()));
    return Op.txn(
        new Cmp[] {new Cmp(key, Cmp.Op.EQUAL, CmpTarget.value(bytes(EtcdKeys.nodeValue(node))))},
        new Op[] {Op.delete(key, DeleteOption.DEFAULT)},
        EtcdStore.NOTHING);
  }

  /**
   * Puts a key for each node unless it holds a newer session. All of a batch in one transaction, if
   * they are as they were found: absent, nearly always, and else what the transaction that failed
   * for it says. Conditions side by side cost etcd much less than those nested in each other.
   *
   * @return nodes with a newer session
   */
  private Set<String> putAll(
      String what,
      UnaryOperator<String> keyOf,
      Collection<NodeLease> nodes,
      long lease,
      Function<Supplier<TxnResponse>, TxnResponse> call) {
    var newer = new TreeSet<String>();
    for (var batch : EtcdStore.batches(nodes)) {
      var found = new HashMap<String, KeyValue>();
      var left = new ArrayList<>(batch);
      boolean put = false;
      for (int i = 0; i < EtcdStore.ATTEMPTS && !put && !left.isEmpty(); i++) {
        var conditions = new ArrayList<Cmp>();
        var puts = new ArrayList<Op>();
        var gets = new ArrayList<Op>();
        for (var node : left) {
          var key = keyOf.apply(node.node());
          conditions.add(EtcdStore.unchanged(key, Optional.ofNullable(found.get(key))));
          puts.add(
              Op.put(
                  bytes(key),
                  bytes(EtcdKeys.nodeValue(node)),
                  PutOption.builder().withLeaseId(lease).build()));
          gets.add(Op.get(bytes(key), GetOption.DEFAULT));
        }
        var answer =
            call.apply(() -> store.commit(what, conditions.toArray(Cmp[]::new), puts, gets));
        put = answer.isSucceeded();
        if (!put) {
          found.clear();
          for (var got : answer.getGetResponses()) {
            got.getKvs().forEach(kv -> found.put(text(kv.getKey()), kv));
          }
          left.removeIf(node -> {
            var key = keyOf.apply(node.node());
            boolean isNewer = isNewer(key, Optional.ofNullable(found.get(key)), node);
            if (isNewer) {
              newer.add(node.node());
            }
            return isNewer;
          });
        }
      }
      if (!put && !left.isEmpty()) {
        throw EtcdStore.changedTooOften(keyOf.apply(left.getFirst().node()));
      }
    }
    return newer;
  }

  /** What cannot be read is no session that anybody could go on with. */
  private static boolean isNewer(String key, Optional<KeyValue> held, NodeLease node) {
    try {
      return held.isPresent()
          && EtcdKeys.node(key, text(held.get().getValue())).session() > node.session();
    } catch (GatewayException _) {
      log.atWarn().addKeyValue("key", key).log("Key cannot be read, and is replaced");
      return false;
    }
  }

  SortedMap<String, NodeLease> nodes() {
    var nodes = new TreeMap<String, NodeLease>();
    for (var kv : store.range(EtcdKeys.NODES)) {
      var node = EtcdKeys.node(text(kv.getKey()), text(kv.getValue()));
      nodes.put(node.node(), node);
    }
    return nodes;
  }

  Set<String> putLeft(Collection<NodeLease> nodes, Duration ttl) {
    if (nodes.isEmpty()) {
      return Set.of();
    }
    long lease = store.grant(ttl);
    boolean put = false;
    try {
      var newer = putAll("say that agents left", EtcdKeys::left, nodes, lease, Supplier::get);
      put = newer.size() < nodes.size();
      removeNodes(nodes);
      return newer;
    } finally {
      if (!put) {
        store.revoke(lease);
      }
    }
  }

  SortedMap<String, NodeLease> left() {
    var left = new TreeMap<String, NodeLease>();
    for (var kv : store.range(EtcdKeys.LEFT)) {
      try {
        var node = EtcdKeys.node(text(kv.getKey()), text(kv.getValue()));
        left.put(node.node(), node);
      } catch (GatewayException _) { // it runs out; without it the node is lost later
        log.atDebug().addKeyValue("key", text(kv.getKey())).log("Key cannot be read");
      }
    }
    return left;
  }
}
