package io.fairlead.etcd;

import static io.fairlead.etcd.EtcdKeys.bytes;
import static io.fairlead.etcd.EtcdKeys.text;

import io.etcd.jetcd.KeyValue;
import io.etcd.jetcd.op.Op;
import io.etcd.jetcd.options.DeleteOption;
import io.etcd.jetcd.options.PutOption;
import io.fairlead.core.model.LogPartition;
import io.fairlead.etcd.Coordination.Lease;
import io.fairlead.etcd.Coordination.Member;
import io.fairlead.etcd.Coordination.Owner;
import io.fairlead.etcd.Coordination.Settled;
import io.fairlead.etcd.Coordination.Taken;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;

/** Who owns the partitions, and which replicas there are. Thread-safe. */
final class EtcdOwners {
  private final EtcdStore store;

  EtcdOwners(EtcdStore store) {
    this.store = store;
  }

  Optional<Taken> takeOwnership(
      LogPartition partition, String replica, String address, UUID takeover, Lease lease) {
    var key = EtcdKeys.owner(partition);
    var settledKey = EtcdKeys.settled(partition);
    var takeSettled = Op.delete(bytes(settledKey), DeleteOption.builder().withPrevKV(true).build());
    var value = EtcdKeys.ownerValue(replica, address, takeover);
    for (int i = 0; i < EtcdStore.ATTEMPTS; i++) {
      var held = store.get(key);
      if (held.isPresent() && !ownerOf(held.get()).replica().equals(replica)) {
        return Optional.empty();
      }
      var put =
          store.putIfUnchanged(
              "take ownership of " + partition, key, held, value, lease, takeSettled);
      if (put.isSucceeded()) {
        var owner = new Owner(replica, address, takeover, put.getHeader().getRevision());
        var settled =
            put.getDeleteResponses().getFirst().getPrevKvs().stream()
                .findFirst()
                .flatMap(kv -> EtcdKeys.settled(text(kv.getValue())));
        return Optional.of(new Taken(owner, settled));
      }
    }
    throw EtcdStore.changedTooOften(key);
  }

  Optional<Owner> owner(LogPartition partition) {
    return store.get(EtcdKeys.owner(partition)).map(EtcdOwners::ownerOf);
  }

  Map<LogPartition, Owner> owners() {
    record Owned(Optional<LogPartition> partition, Owner owner) {}
    var owners = new TreeMap<LogPartition, Owner>();
    store
        .unreadable()
        .readable(
            EtcdKeys.OWNERS,
            store.range(EtcdKeys.OWNERS),
            kv -> new Owned(EtcdKeys.partition(text(kv.getKey())), ownerOf(kv)))
        .forEach(
            owned -> owned.partition.ifPresent(partition -> owners.put(partition, owned.owner)));
    return owners;
  }

  private static Owner ownerOf(KeyValue kv) {
    return EtcdKeys.owner(text(kv.getKey()), text(kv.getValue()), kv.getModRevision());
  }

  void releaseOwnership(LogPartition partition, UUID takeover) {
    var delete = Op.delete(bytes(EtcdKeys.owner(partition)), DeleteOption.DEFAULT);
    var _ =
        store.commit(
            "release " + partition,
            EtcdStore.guard(partition, takeover),
            List.of(delete),
            List.of());
  }

  void releaseSettled(LogPartition partition, UUID takeover, Settled settled) {
    var delete = Op.delete(bytes(EtcdKeys.owner(partition)), DeleteOption.DEFAULT);
    var put =
        Op.put(
            bytes(EtcdKeys.settled(partition)),
            bytes(EtcdKeys.settledValue(settled)),
            PutOption.DEFAULT);
    var _ =
        store.commit(
            "release " + partition,
            EtcdStore.guard(partition, takeover),
            List.of(delete, put),
            List.of());
  }

  void putMember(String service, Member member, Lease lease) {
    var key = bytes(EtcdKeys.member(service, member.replica()));
    var value = bytes(EtcdKeys.memberValue(member));
    var option = PutOption.builder().withLeaseId(lease.id()).build();
    var _ =
        EtcdStore.under(
            lease,
            () ->
                store
                    .connection()
                    .write("put member", client -> client.getKVClient().put(key, value, option)));
  }

  SortedMap<String, Member> members(String service) {
    var prefix = EtcdKeys.MEMBERS + service + "/";
    var members = new TreeMap<String, Member>();
    store
        .unreadable()
        .readable(
            prefix,
            store.range(prefix),
            kv -> {
              var key = text(kv.getKey());
              return EtcdKeys.member(key, key.substring(prefix.length()), text(kv.getValue()));
            })
        .forEach(member -> members.put(member.replica(), member));
    return members;
  }
}
