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
    var what = "put nodes";
    return putAll(
        what,
        EtcdKeys::node,
        nodes,
        node -> List.of(),
        ops -> EtcdStore.under(lease, () -> store.commit(what, NO_CONDITION, ops, List.of())),
        lease.id());
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
   * Puts a key for each node unless it holds a newer session, each together with something else.
   * Nearly always it is absent or an older one's: so what it holds is asked for only where the put
   * found something.
   *
   * @return nodes with a newer session
   */
  private static Set<String> putAll(
      String what,
      UnaryOperator<String> keyOf,
      Collection<NodeLease> nodes,
      Function<NodeLease, List<Op>> also,
      Function<List<Op>, TxnResponse> commit,
      long lease) {
    var newer = new TreeSet<String>();
    for (var batch : EtcdStore.batches(nodes)) {
      var found = new HashMap<String, KeyValue>();
      var left = batch;
      for (int i = 0; i < EtcdStore.ATTEMPTS && !left.isEmpty(); i++) {
        var ops = new ArrayList<Op>();
        for (var node : left) {
          var key = keyOf.apply(node.node());
          var then = new ArrayList<Op>();
          then.add(
              Op.put(
                  bytes(key),
                  bytes(EtcdKeys.nodeValue(node)),
                  PutOption.builder().withLeaseId(lease).build()));
          then.addAll(also.apply(node));
          ops.add(
              Op.txn(
                  new Cmp[] {EtcdStore.unchanged(key, Optional.ofNullable(found.get(key)))},
                  then.toArray(EtcdStore.NOTHING),
                  new Op[] {Op.get(bytes(key), GetOption.DEFAULT)}));
        }
        var answers = commit.apply(ops).getTxnResponses();
        var again = new ArrayList<NodeLease>();
        for (int n = 0; n < left.size(); n++) {
          var node = left.get(n);
          if (answers.get(n).isSucceeded()) {
            continue;
          }
          var key = keyOf.apply(node.node());
          found.remove(key);
          answers.get(n).getGetResponses().getFirst().getKvs().forEach(kv -> found.put(key, kv));
          if (isNewer(key, Optional.ofNullable(found.get(key)), node)) {
            newer.add(node.node());
          } else {
            again.add(node);
          }
        }
        left = again;
      }
      if (!left.isEmpty()) {
        throw EtcdStore.changedTooOften(what + " " + left.getFirst().node());
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
    var what = "say that agents left";
    long lease = store.grant(ttl);
    boolean put = false;
    try {
      var newer =
          putAll(
              what,
              EtcdKeys::left,
              nodes,
              node -> List.of(removal(node)),
              ops -> store.commit(what, NO_CONDITION, ops, List.of()),
              lease);
      put = newer.size() < nodes.size();
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
