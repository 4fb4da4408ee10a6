package io.fairlead.etcd;

import static io.fairlead.etcd.EtcdKeys.bytes;
import static io.fairlead.etcd.EtcdKeys.text;

import io.etcd.jetcd.op.Cmp;
import io.etcd.jetcd.op.CmpTarget;
import io.etcd.jetcd.op.Op;
import io.etcd.jetcd.options.DeleteOption;
import io.etcd.jetcd.options.PutOption;
import io.fairlead.core.run.GatewayException;
import io.fairlead.etcd.Coordination.Lease;
import io.fairlead.etcd.Coordination.NodeLease;
import java.time.Duration;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Which agents live, and which said that they leave. Thread-safe. */
final class EtcdNodes {
  private static final Logger log = LoggerFactory.getLogger(EtcdNodes.class);

  private final EtcdStore store;

  EtcdNodes(EtcdStore store) {
    this.store = store;
  }

  boolean putNode(NodeLease node, Lease lease) {
    var key = EtcdKeys.node(node.node());
    var value = EtcdKeys.nodeValue(node);
    for (int i = 0; i < EtcdStore.ATTEMPTS; i++) {
      var held = store.get(key);
      if (held.isPresent()
          && EtcdKeys.node(key, text(held.get().getValue())).session() > node.session()) {
        return false;
      }
      if (store.putIfUnchanged("put node " + node.node(), key, held, value, lease).isSucceeded()) {
        return true;
      }
    }
    throw EtcdStore.changedTooOften(key);
  }

  SortedMap<String, NodeLease> nodes() {
    var nodes = new TreeMap<String, NodeLease>();
    for (var kv : store.range(EtcdKeys.NODES)) {
      var node = EtcdKeys.node(text(kv.getKey()), text(kv.getValue()));
      nodes.put(node.node(), node);
    }
    return nodes;
  }

  boolean putLeft(NodeLease node, Duration ttl) {
    long lease = store.grant(ttl);
    boolean put = false;
    try {
      put = putLeft(node, lease);
      return put;
    } finally {
      if (!put) {
        store.revoke(lease);
      }
    }
  }

  private boolean putLeft(NodeLease node, long lease) {
    var key = EtcdKeys.left(node.node());
    var own = bytes(EtcdKeys.node(node.node()));
    var value = bytes(EtcdKeys.nodeValue(node));
    for (int i = 0; i < EtcdStore.ATTEMPTS; i++) {
      var said = store.get(key);
      if (said.isPresent()
          && EtcdKeys.node(key, text(said.get().getValue())).session() > node.session()) {
        return false;
      }
      var unchanged =
          new Cmp(
              bytes(key),
              Cmp.Op.EQUAL,
              said.<CmpTarget<?>>map(kv -> CmpTarget.modRevision(kv.getModRevision()))
                  .orElse(CmpTarget.version(0)));
      var answer =
          store.commit(
              "say that the agent of node " + node.node() + " left",
              new Cmp[] {unchanged},
              List.of(
                  Op.put(bytes(key), value, PutOption.builder().withLeaseId(lease).build()),
                  Op.txn(
                      new Cmp[] {new Cmp(own, Cmp.Op.EQUAL, CmpTarget.value(value))},
                      new Op[] {Op.delete(own, DeleteOption.DEFAULT)},
                      EtcdStore.NOTHING)),
              List.of());
      if (answer.isSucceeded()) {
        return true;
      }
    }
    throw EtcdStore.changedTooOften(key);
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
