package io.fairlead.etcd;

import static io.fairlead.etcd.EtcdKeys.bytes;
import static io.fairlead.etcd.EtcdKeys.text;

import io.etcd.jetcd.KeyValue;
import io.etcd.jetcd.kv.GetResponse;
import io.etcd.jetcd.kv.TxnResponse;
import io.etcd.jetcd.op.Cmp;
import io.etcd.jetcd.op.CmpTarget;
import io.etcd.jetcd.op.Op;
import io.etcd.jetcd.options.DeleteOption;
import io.etcd.jetcd.options.GetOption;
import io.etcd.jetcd.options.PutOption;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import io.fairlead.core.run.Time;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * {@link Coordination} over a real etcd, 3.4 or newer. Thread-safe; durable state is etcd's alone.
 * Threads of its own: a virtual one for each lease and each watch; all end with {@link #close}.
 */
public final class EtcdCoordination implements Coordination {
  /** Far below etcd's default of 128 operations, which counts those nested in each other, too. */
  static final int OPERATIONS = 60;

  /** Answers stay far below gRPC's message limit. */
  static final int PAGE = 4_000;

  private static final int ATTEMPTS = 5;
  private static final Op[] NOTHING = {};

  private final EtcdConfig config;
  private final Time time;
  private final EtcdConnection connection;
  private final UnreadableKeys unreadable = new UnreadableKeys();
  private final Set<AutoCloseable> open = ConcurrentHashMap.newKeySet();

  private EtcdCoordination(EtcdConfig config, Time time) {
    this.config = config;
    this.time = time;
    this.connection = new EtcdConnection(config, time);
  }

  /** Connects with the first call, so that a process can start before etcd does. */
  public static EtcdCoordination connect(EtcdConfig config, Time time) {
    return new EtcdCoordination(config, time);
  }

  @Override
  public Lease openLease(Duration ttl, Runnable onLost) {
    if (ttl.compareTo(Duration.ofSeconds(1)) < 0) {
      throw new IllegalArgumentException("lease ttl " + ttl + " is below PT1S");
    }
    long seconds = ttl.plusNanos(999_999_999).toSeconds();
    long askedNanos = time.nanoTime();
    var granted = connection.write("grant lease", client -> client.getLeaseClient().grant(seconds));
    var lease =
        new KeptLease(
            connection,
            time,
            granted.getID(),
            ttl,
            askedNanos,
            onLost,
            ended -> open.remove(ended));
    open.add(lease);
    lease.start();
    return lease;
  }

  // --- ownership

  @Override
  public Optional<Owner> takeOwnership(
      LogPartition partition, String replica, String address, UUID takeover, Lease lease) {
    var key = EtcdKeys.owner(partition);
    var value = EtcdKeys.ownerValue(replica, address, takeover);
    for (int i = 0; i < ATTEMPTS; i++) {
      var held = get(key);
      if (held.isPresent() && !ownerOf(held.get()).replica().equals(replica)) {
        return Optional.empty();
      }
      var put = putIfUnchanged("take ownership of " + partition, key, held, value, lease);
      if (put.isSucceeded()) {
        return Optional.of(new Owner(replica, address, takeover, put.getHeader().getRevision()));
      }
    }
    throw changedTooOften(key);
  }

  @Override
  public Optional<Owner> owner(LogPartition partition) {
    return get(EtcdKeys.owner(partition)).map(EtcdCoordination::ownerOf);
  }

  @Override
  public Map<LogPartition, Owner> owners() {
    record Owned(Optional<LogPartition> partition, Owner owner) {}
    var owners = new TreeMap<LogPartition, Owner>();
    unreadable
        .readable(
            EtcdKeys.OWNERS,
            range(EtcdKeys.OWNERS),
            kv -> new Owned(EtcdKeys.partition(text(kv.getKey())), ownerOf(kv)))
        .forEach(
            owned -> owned.partition.ifPresent(partition -> owners.put(partition, owned.owner)));
    return owners;
  }

  private static Owner ownerOf(KeyValue kv) {
    return EtcdKeys.owner(text(kv.getKey()), text(kv.getValue()), kv.getModRevision());
  }

  @Override
  public void releaseOwnership(LogPartition partition, UUID takeover) {
    var delete = Op.delete(bytes(EtcdKeys.owner(partition)), DeleteOption.DEFAULT);
    var _ = commit("release " + partition, guard(partition, takeover), List.of(delete), List.of());
  }

  // --- members

  @Override
  public void putMember(String service, Member member, Lease lease) {
    var key = bytes(EtcdKeys.member(service, member.replica()));
    var value = bytes(EtcdKeys.memberValue(member));
    var option = PutOption.builder().withLeaseId(lease.id()).build();
    var _ =
        under(
            lease,
            () ->
                connection.write(
                    "put member", client -> client.getKVClient().put(key, value, option)));
  }

  @Override
  public SortedMap<String, Member> members(String service) {
    var prefix = EtcdKeys.MEMBERS + service + "/";
    var members = new TreeMap<String, Member>();
    unreadable
        .readable(
            prefix,
            range(prefix),
            kv -> {
              var key = text(kv.getKey());
              return EtcdKeys.member(key, key.substring(prefix.length()), text(kv.getValue()));
            })
        .forEach(member -> members.put(member.replica(), member));
    return members;
  }

  @Override
  public AutoCloseable watch(Runnable onChange) {
    // members, nodes and owners lie side by side; claims, which change with every Service, do not
    var watch =
        new EtcdWatch(
            connection,
            time,
            EtcdKeys.MEMBERS,
            EtcdKeys.endOf(EtcdKeys.OWNERS),
            config.callTimeout(),
            onChange);
    open.add(watch);
    watch.start();
    return () -> {
      open.remove(watch);
      watch.close();
    };
  }

  // --- claims

  @Override
  public Map<Address, ClaimOutcome> claim(
      Collection<ClaimRequest> requests, LogPartition partition, UUID takeover) {
    requireDistinct(requests);
    var outcomes = new HashMap<Address, ClaimOutcome>();
    for (var batch : batches(requests)) {
      var claims = new ArrayList<Op>();
      for (var request : batch) {
        var key = bytes(EtcdKeys.claim(request.address()));
        claims.add(
            Op.txn(
                new Cmp[] {new Cmp(key, Cmp.Op.EQUAL, CmpTarget.version(0))},
                new Op[] {Op.put(key, bytes(EtcdKeys.claimValue(request)), PutOption.DEFAULT)},
                new Op[] {Op.get(key, GetOption.DEFAULT)}));
      }
      var answer = commit("claim addresses", guard(partition, takeover), claims, List.of());
      if (!answer.isSucceeded()) {
        throw new NotOwnerException(partition);
      }
      var answers = answer.getTxnResponses();
      for (int i = 0; i < batch.size(); i++) {
        outcomes.put(batch.get(i).address(), outcome(batch.get(i), answers.get(i)));
      }
    }
    return outcomes;
  }

  private static ClaimOutcome outcome(ClaimRequest request, TxnResponse answer) {
    if (answer.isSucceeded()) {
      return new ClaimOutcome.Claimed();
    }
    var holder = holderOrNobody(answer.getGetResponses().getFirst().getKvs().getFirst());
    return holder.uid().equals(request.uid())
        ? new ClaimOutcome.Claimed()
        : new ClaimOutcome.HeldByOther(holder);
  }

  @Override
  public boolean replaceClaim(
      ClaimRequest request, ClaimHolder found, LogPartition partition, UUID takeover) {
    var key = bytes(EtcdKeys.claim(request.address()));
    var unchanged =
        Op.txn(
            new Cmp[] {new Cmp(key, Cmp.Op.EQUAL, CmpTarget.modRevision(found.revision()))},
            new Op[] {Op.put(key, bytes(EtcdKeys.claimValue(request)), PutOption.DEFAULT)},
            NOTHING);
    var answer = commit("replace claim", guard(partition, takeover), List.of(unchanged), List.of());
    if (!answer.isSucceeded()) {
      throw new NotOwnerException(partition);
    }
    return answer.getTxnResponses().getFirst().isSucceeded();
  }

  @Override
  public void free(Collection<ClaimRequest> claims, LogPartition partition, UUID takeover) {
    requireDistinct(claims);
    for (var batch : batches(claims)) {
      var frees = new ArrayList<Op>();
      for (var claim : batch) {
        var key = bytes(EtcdKeys.claim(claim.address()));
        frees.add(
            Op.txn(
                firstWordIs(EtcdKeys.claim(claim.address()), claim.uid()),
                new Op[] {Op.delete(key, DeleteOption.DEFAULT)},
                NOTHING));
      }
      if (!commit("free addresses", guard(partition, takeover), frees, List.of()).isSucceeded()) {
        throw new NotOwnerException(partition);
      }
    }
  }

  @Override
  public Optional<ClaimHolder> claimOn(Address address) {
    return get(EtcdKeys.claim(address)).map(EtcdCoordination::holderOf);
  }

  @Override
  public SortedMap<Address, ClaimHolder> claims() {
    var claims = new TreeMap<Address, ClaimHolder>();
    unreadable
        .readable(
            EtcdKeys.CLAIMS,
            range(EtcdKeys.CLAIMS),
            kv -> Map.entry(EtcdKeys.address(text(kv.getKey())), holderOf(kv)))
        .forEach(claim -> claims.put(claim.getKey(), claim.getValue()));
    return claims;
  }

  private static ClaimHolder holderOrNobody(KeyValue kv) {
    try {
      return holderOf(kv);
    } catch (GatewayException _) { // told when it is listed
      return ClaimHolder.nobody(kv.getModRevision());
    }
  }

  private static ClaimHolder holderOf(KeyValue kv) {
    return EtcdKeys.holder(text(kv.getKey()), text(kv.getValue()), kv.getModRevision());
  }

  private static void requireDistinct(Collection<ClaimRequest> requests) {
    var seen = new HashSet<Address>();
    for (var request : requests) {
      if (!seen.add(request.address())) { // etcd refuses two puts of one key in a transaction
        throw new IllegalArgumentException(request.address() + " stands twice in one request");
      }
    }
  }

  private static List<List<ClaimRequest>> batches(Collection<ClaimRequest> requests) {
    var all = List.copyOf(requests);
    var batches = new ArrayList<List<ClaimRequest>>();
    for (int from = 0; from < all.size(); from += OPERATIONS) {
      batches.add(all.subList(from, Math.min(all.size(), from + OPERATIONS)));
    }
    return batches;
  }

  // --- nodes

  @Override
  public boolean putNode(NodeLease node, Lease lease) {
    var key = EtcdKeys.node(node.node());
    var value = EtcdKeys.nodeValue(node);
    for (int i = 0; i < ATTEMPTS; i++) {
      var held = get(key);
      if (held.isPresent()
          && EtcdKeys.node(key, text(held.get().getValue())).session() > node.session()) {
        return false;
      }
      if (putIfUnchanged("put node " + node.node(), key, held, value, lease).isSucceeded()) {
        return true;
      }
    }
    throw changedTooOften(key);
  }

  @Override
  public SortedMap<String, NodeLease> nodes() {
    var nodes = new TreeMap<String, NodeLease>();
    for (var kv : range(EtcdKeys.NODES)) {
      var node = EtcdKeys.node(text(kv.getKey()), text(kv.getValue()));
      nodes.put(node.node(), node);
    }
    return nodes;
  }

  @Override
  public int unreadableKeys() {
    return unreadable.size();
  }

  @Override
  public ClusterState clusterState() {
    var count = GetOption.builder().withCountOnly(true).build();
    var header =
        connection
            .read(
                "read cluster state",
                client -> client.getKVClient().get(bytes(EtcdKeys.ROOT), count))
            .getHeader();
    return new ClusterState(Long.toHexString(header.getClusterId()), header.getRevision());
  }

  @Override
  public List<String> endpoints() {
    return config.endpoints();
  }

  @Override
  public void close() {
    for (var one : List.copyOf(open)) {
      open.remove(one);
      try {
        one.close();
      } catch (Exception e) {
        throw new IllegalStateException("leases and watches close without failing", e);
      }
    }
    connection.close();
  }

  // --- what all of them are made of

  private Optional<KeyValue> get(String key) {
    return connection
        .read("read " + key, client -> client.getKVClient().get(bytes(key)))
        .getKvs()
        .stream()
        .findFirst();
  }

  /** All keys with a prefix at one revision, page by page. */
  private List<KeyValue> range(String prefix) {
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

  private TxnResponse putIfUnchanged(
      String what, String key, Optional<KeyValue> found, String value, Lease lease) {
    var unchanged =
        new Cmp(
            bytes(key),
            Cmp.Op.EQUAL,
            found
                .<CmpTarget<?>>map(kv -> CmpTarget.modRevision(kv.getModRevision()))
                .orElse(CmpTarget.version(0)));
    var put = Op.put(bytes(key), bytes(value), PutOption.builder().withLeaseId(lease.id()).build());
    return under(lease, () -> commit(what, new Cmp[] {unchanged}, List.of(put), List.of()));
  }

  /** etcd answers NOT_FOUND to these where it does not know the lease: no need to wait for more. */
  private static <T> T under(Lease lease, Supplier<T> put) {
    try {
      return put.get();
    } catch (GatewayException e) {
      if (lease instanceof KeptLease kept
          && e.getCause() instanceof BrokenCallException broken
          && broken.code() == Status.Code.NOT_FOUND) {
        kept.gone();
      }
      throw e;
    }
  }

  private TxnResponse commit(String what, Cmp[] conditions, List<Op> then, List<Op> otherwise) {
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
  private static Cmp[] guard(LogPartition partition, UUID takeover) {
    return firstWordIs(EtcdKeys.owner(partition), takeover);
  }

  /** False also where the key is absent. */
  private static Cmp[] firstWordIs(String key, UUID word) {
    return new Cmp[] {
      new Cmp(bytes(key), Cmp.Op.GREATER, CmpTarget.value(bytes(word + " "))),
      new Cmp(bytes(key), Cmp.Op.LESS, CmpTarget.value(bytes(word + "!"))) // '!' follows ' '
    };
  }

  private static GatewayException changedTooOften(String key) {
    return new GatewayException(
        Outcome.KNOWN_FAILED, "etcd key " + key + " changed under us " + ATTEMPTS + " times");
  }
}
