package io.fairlead.endpoints.stream;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.run.FakeTime;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.Time;
import io.fairlead.etcd.Coordination.NodeLease;
import io.fairlead.etcd.FakeCoordination;
import io.fairlead.etcd.FakeEtcd;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class NodeLeasesTest {
  private static final int MANY = 1_000;

  private final FakeEtcd etcd = new FakeEtcd(Time.system());
  private final FakeCoordination here = etcd.client();
  private final FakeCoordination other = etcd.client();
  private final StreamStats stats = new StreamStats();
  private final List<NodeLeases> opened = new ArrayList<>();

  @AfterEach
  void close() {
    opened.forEach(NodeLeases::close);
    etcd.close();
  }

  private NodeLeases leases(Duration ttl, Duration grace) {
    return leases(ttl, grace, Time.system());
  }

  private NodeLeases leases(Duration ttl, Duration grace, Time time) {
    var leases =
        NodeLeases.start(
            "a", here, StreamSettings.DEFAULT.withLease(ttl, grace), stats, FaultPoints.NONE, time);
    opened.add(leases);
    return leases;
  }

  /** Long enough for the slowest machine: nothing runs out in these tests. */
  private NodeLeases leases() {
    return leases(Duration.ofMinutes(10), Duration.ofMinutes(20));
  }

  /** A stream of a node. */
  private static final class Stream implements NodeLeases.Holder {
    private final String node;
    private final long session;
    volatile Optional<StatusRuntimeException> closed = Optional.empty();
    volatile boolean left;

    Stream(String node, long session) {
      this.node = node;
      this.session = session;
    }

    @Override
    public String node() {
      return node;
    }

    @Override
    public long session() {
      return session;
    }

    @Override
    public boolean isOver() {
      return left || closed.isPresent();
    }

    @Override
    public boolean wasLeft() {
      return left && closed.isEmpty();
    }

    @Override
    public void close(StatusRuntimeException why) {
      closed = Optional.of(why);
    }

    NodeLease lease() {
      return new NodeLease(node, session, "a");
    }
  }

  private static List<Stream> many() {
    var streams = new ArrayList<Stream>();
    for (int i = 0; i < MANY; i++) {
      streams.add(new Stream("node-" + i, i));
    }
    return streams;
  }

  /** What is to be renewed is one lease, and what came together is put and removed together. */
  @Test
  void aThousandNodesCostOneLease() {
    var leases = leases();
    here.cutOff();
    many().forEach(leases::hold);
    here.reconnect();
    await("all keys", () -> other.nodes().size() == MANY);
    assertThat(here.leaseIds()).hasSize(1);
    assertThat(here.writes()).as("a lease, and the keys").isEqualTo(2);
    leases.close();
    assertThat(other.nodes()).isEmpty();
    assertThat(here.writes()).as("the lease is given back").isEqualTo(3);
  }

  @Test
  void aStreamThatEndsTakesItsOwnKeyAlone() {
    var leases = leases();
    var one = new Stream("one", 1);
    var two = new Stream("two", 2);
    leases.hold(one);
    leases.hold(two);
    await("both keys", () -> other.nodes().size() == 2);
    one.close(Status.OK.asRuntimeException());
    leases.letGo(one);
    await("one key", () -> other.nodes().size() == 1);
    assertThat(other.nodes().values()).containsExactly(two.lease());
    assertThat(other.left()).isEmpty();
    two.left = true;
    leases.letGo(two);
    await("no key", () -> other.nodes().isEmpty());
    assertThat(other.left().values()).containsExactly(two.lease());
  }

  /** The lease lives on, so nothing else would ever take the key away. */
  @Test
  void theKeyOfAStreamThatEndsWhileEtcdIsAwayGoesWhenItIsBack() {
    var leases = leases();
    var one = new Stream("one", 1);
    leases.hold(one);
    await("a key", () -> other.nodes().size() == 1);
    here.cutOff();
    one.close(Status.OK.asRuntimeException());
    leases.letGo(one);
    await("a failed try", () -> stats.retries.sum() > 0);
    assertThat(other.nodes()).hasSize(1);
    here.reconnect();
    await("no key", () -> other.nodes().isEmpty());
    assertThat(here.leaseIds()).hasSize(1);
  }

  /** Else nothing would ever take it away: the lease lives on. */
  @Test
  void aKeyThatIsPutOnlyAfterItWasWithdrawnGoesToo() {
    var time = new FakeTime();
    var leases = leases(Duration.ofMinutes(10), Duration.ofMinutes(20), time);
    var one = new Stream("one", 1);
    here.delayNextPut();
    leases.hold(one);
    await("it waits to try again", () -> time.sleepers() == 1);
    one.close(Status.OK.asRuntimeException());
    leases.letGo(one);
    time.advance(StreamSettings.DEFAULT.retryPause());
    await("withdrawn", () -> here.writes() == 2); // a lease, and that
    here.putLate();
    assertThat(other.nodes().values()).containsExactly(one.lease());
    time.advance(NodeLeases.LATE_PUTS);
    var two = new Stream("two", 2);
    leases.hold(two); // what comes wakes it, too
    await("its own key alone", () -> List.of(two.lease()).equals(keys()));
  }

  private List<NodeLease> keys() {
    return List.copyOf(other.nodes().values());
  }

  @Test
  void aLeaseThatIsLostIsReplacedAndAllKeysArePutAgain() {
    var leases = leases();
    many().forEach(leases::hold);
    await("all keys", () -> other.nodes().size() == MANY);
    var first = here.leaseIds();
    etcd.expire(first.getFirst());
    await("another lease", () -> here.leaseIds().size() == 1 && !here.leaseIds().equals(first));
    await("all keys again", () -> other.nodes().size() == MANY);
    assertThat(stats.leasesLost.sum()).isEqualTo(MANY);
  }

  @Test
  void aStreamWhoseNodeHasALaterSessionElsewhereIsClosedAndNoOther() {
    var lease = other.openLease(Duration.ofMinutes(10), () -> {});
    var later = new NodeLease("one", 9, "b");
    assertThat(other.putNodes(List.of(later), lease)).isEmpty();
    var leases = leases();
    here.cutOff();
    var one = new Stream("one", 1);
    var two = new Stream("two", 2);
    leases.hold(one);
    leases.hold(two);
    here.reconnect();
    await("the end", () -> one.closed.isPresent());
    leases.letGo(one);
    await("a key", () -> other.nodes().containsKey("two"));
    assertThat(two.closed).isEmpty();
    assertThat(other.nodes().values()).containsExactly(later, two.lease());
  }

  /** Of two sessions of a node the later one's key stays, whichever ends first. */
  @Test
  void theKeyOfTheLaterSessionStaysWhenTheEarlierOneEnds() {
    var leases = leases();
    var one = new Stream("one", 1);
    var later = new Stream("one", 2);
    leases.hold(one);
    await("a key", () -> other.nodes().containsValue(one.lease()));
    leases.hold(later);
    one.left = true;
    leases.letGo(one);
    await("the later key", () -> other.nodes().containsValue(later.lease()));
    await("it was said that the first one left", () -> other.left().containsKey("one"));
    assertThat(other.nodes().values()).containsExactly(later.lease());
  }

  @Test
  void streamsWhoseKeysCannotBeKeptAreClosedAfterTheGraceTime() {
    var leases = leases(Duration.ofMillis(300), Duration.ofMillis(600));
    var one = new Stream("one", 1);
    here.cutOff();
    leases.hold(one);
    await("the end", () -> one.closed.isPresent());
    assertThat(one.closed.orElseThrow().getStatus().getDescription())
        .contains("the lease of node one cannot be kept");
  }

  private static void await(String what, Callable<Boolean> condition) {
    Awaitility.await(what)
        .atMost(Duration.ofSeconds(20))
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(5))
        .until(condition);
  }
}
