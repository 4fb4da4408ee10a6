package io.fairlead.etcd;

import static io.fairlead.etcd.EtcdKeys.bytes;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.op.Cmp;
import io.etcd.jetcd.op.CmpTarget;
import io.etcd.jetcd.op.Op;
import io.etcd.jetcd.options.PutOption;
import io.fairlead.core.run.Time;
import java.time.Duration;
import java.util.List;

/**
 * One transaction for each key, through the connection that {@link EtcdCoordination} has, too: what
 * allocation with etcd alone would cost, for benchmarks. Thread-safe; each call blocks.
 */
public final class SingleKeyTransactions implements AutoCloseable {
  private final EtcdConnection connection;

  private SingleKeyTransactions(EtcdConnection connection) {
    this.connection = connection;
  }

  /** Connects with the first call. */
  public static SingleKeyTransactions connect(String endpoint) {
    return new SingleKeyTransactions(
        new EtcdConnection(
            new EtcdConfig(List.of(endpoint), Duration.ofSeconds(10)), Time.system()));
  }

  /** Puts a key that is absent; false where it exists. */
  public boolean putIfAbsent(String key, byte[] value) {
    var name = bytes(key);
    return connection
        .write(
            "put if absent",
            client ->
                client
                    .getKVClient()
                    .txn()
                    .If(new Cmp(name, Cmp.Op.EQUAL, CmpTarget.version(0)))
                    .Then(Op.put(name, ByteSequence.from(value), PutOption.DEFAULT))
                    .commit())
        .isSucceeded();
  }

  @Override
  public void close() {
    connection.close();
  }
}
